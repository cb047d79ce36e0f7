internal import QMPClient

/// Watches for the sign that the guest is up, from its start or its last reset on.
struct ReadinessWatch: Sendable {
  /// Whether the guest is up; nil if nothing shows that.
  private(set) var isReady: Bool?
  /// Counts the watches: the answer of an earlier one says nothing any more.
  private var number = 0
  private var task: Task<Void, Never>?
  /// When a command in the guest ended.
  private var commandEnd: SuspendingClock.Instant?
  private let inputs: Mailbox<Supervisor.Input>
  private let loop: EventLoop

  /// - Parameters:
  ///   - inputs: The supervisor's.
  ///   - loop: The loop that the supervisor is on.
  init(inputs: Mailbox<Supervisor.Input>, on loop: EventLoop) {
    self.inputs = inputs
    self.loop = loop
  }

  /// How long a guest may take from the end of a command that restarts it to the end of its ssh server.
  static let settling = Duration.seconds(3)

  /// How long the guest may still look ready although the last command restarts it; zero if that is over.
  var doubt: Duration {
    guard let commandEnd else { return .zero }
    return max(.zero, SuspendingClock.now.duration(to: commandEnd.advanced(by: Self.settling)))
  }

  /// A command in the guest has ended. It may have been `reboot`, which returns at once.
  mutating func commandEnded() { commandEnd = .now }

  /// Begins anew; the answer is an input.
  ///
  /// - Parameter sign: What to watch for; nil if there is no sign.
  mutating func begin(_ sign: ReadySign?) {
    task?.cancel()
    task = nil
    number += 1
    commandEnd = nil
    isReady = sign == nil ? nil : false
    guard let sign else { return }
    task = Task(executorPreference: loop) { [inputs, loop, number] in
      do {
        try await sign.appears(on: loop)
        inputs.send(.ready(true, number))
      } catch is CancellationError {
      } catch {
        inputs.send(.ready(nil, number))
      }
    }
  }

  /// Takes in what a watch saw.
  ///
  /// - Returns: Whether the guest has become ready by that.
  mutating func take(_ isReady: Bool?, of number: Int) -> Bool {
    guard number == self.number, self.isReady != true else { return false }
    self.isReady = isReady
    return isReady == true
  }

  /// A client was quicker. What it does next counts on the guest being up, and the status must not
  /// say otherwise.
  ///
  /// - Returns: Whether the guest has become ready by that.
  mutating func confirm() -> Bool {
    guard isReady == false else { return false }
    task?.cancel()
    isReady = true
    return true
  }

  func stop() { task?.cancel() }
}
