package import QMPClient

/// The end of the connection that a `run` of a matrix has to the matrix.
///
/// The run reports its milestones, one a line. The matrix passes on the user's signals, one byte each:
/// signals proper would be taken for echoes of each other. If the matrix is gone, whatever ended it, the
/// connection is closed, and the run ends its VM as after a SIGTERM.
package struct MatrixLink: Sendable {
  /// The word that makes this executable a run of a matrix. The words for `run` follow it.
  package static let command = "__matrix-run"
  /// The run's descriptor for the connection.
  private static let descriptorNumber: Int32 = 3

  private let descriptor: Descriptor

  /// The connection that this process was started with; nil if it was started by hand.
  package static func inherited() -> MatrixLink? {
    Host.inherited(descriptorNumber).map { MatrixLink(descriptor: $0) }
  }

  /// Tells the matrix how far the run is.
  package func report(_ milestone: RunMilestone) {
    Array("\(milestone.text)\n".utf8).withUnsafeBytes {
      _ = SocketCalls.send(descriptor.number, $0)
    }
  }

  /// Sends the user's signals to a mailbox from now on.
  package func passSignals(to signals: Mailbox<Signal>, on loop: EventLoop) {
    let descriptor = descriptor
    _ = Task(executorPreference: loop) {
      let far = SuspendingClock.now.advanced(by: .seconds(1 << 30))
      while (try? await loop.ready(descriptor.number, for: .read, until: far)) == true {
        switch SocketCalls.receive(descriptor.number) {
        case .bytes(let numbers):
          for number in numbers { signals.send(Signal(rawValue: Int32(number))) }
        case .wouldBlock: break
        case .closed, .failed:
          signals.send(.terminate)
          return
        }
      }
    }
  }
}
