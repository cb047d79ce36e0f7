internal import QMPClient

/// Looks each second how far a guest's boot is, until it is stopped.
package struct BootProgress: Sendable {
  /// How far a boot is.
  package struct Look: Sendable, Hashable {
    package let name: InstanceName
    /// The whole seconds since the wait began.
    package let seconds: Int
    /// The last line that the guest wrote to its console, without control sequences; empty if there is none.
    package let lastWords: String

    package init(name: InstanceName, seconds: Int, lastWords: String) {
      self.name = name
      self.seconds = seconds
      self.lastWords = lastWords
    }
  }

  /// Shows a look in the place of the last one; nil to remove it.
  package typealias Show = @Sendable (Look?) -> Void

  private let task: Task<Void, Never>
  private let show: Show

  /// Begins to look.
  package init(of waiting: InstanceWait, show: @escaping Show) {
    self.show = show
    let (name, loop) = (waiting.name, waiting.loop)
    task = Task(executorPreference: loop) {
      let begin = SuspendingClock.now
      var seconds = 0
      while !Task.isCancelled {
        show(Look(name: name, seconds: seconds, lastWords: waiting.tail(1).last ?? ""))
        seconds += 1
        guard (try? await loop.sleep(until: begin.advanced(by: .seconds(seconds)))) != nil else {
          return
        }
      }
    }
  }

  /// Ends the looks, and removes the last one.
  package func stop() {
    task.cancel()
    show(nil)
  }
}
