internal import QMPClient

/// An ssh that exited with 255: it failed while it ran a command, or 255 is the command's own status.
struct ConnectionLoss: Sendable {
  let command: GuestCommand
  let ssh: GuestSSH

  /// The exit status by which ssh says that it failed.
  static let status: Int32 = 255

  /// Whether an ssh ended without its command's status, after the guest began anew.
  static func isReset(_ end: ProcessEnd) -> Bool {
    end == .exited(status) || end == .signalled(Signal.kill.rawValue)
  }

  /// How long QEMU may take to exit after its connections were closed.
  private static let goingTime = Duration.seconds(2)

  enum Cause: Sendable, Hashable {
    /// The guest runs, and so may the command.
    case connection
    /// The VM has ended.
    case end
    /// The guest began anew.
    case reset
    /// The user was never let in.
    case refused(SSHError)

    func sentence(_ name: InstanceName) -> String {
      switch self {
      case .connection:
        "the connection to \(name) was lost; the command may still be running there"
      case .reset: "the command is gone: \(name) restarted while it ran"
      case .refused(let error):
        ([error.message] + [error.advice].compactMap(\.self)).joined(separator: "\n")
      case .end: "the guest is gone: \(name) ended while the command ran"
      }
    }
  }

  /// Finds out what happened.
  ///
  /// - Parameter waiting: Waits for the VM.
  /// - Returns: The cause; nil if the command has ended by itself, or ssh's own message says it all.
  func cause(_ waiting: InstanceWait) async -> Cause? {
    switch await command.look(by: ssh, on: waiting.loop) {
    case .running: return .connection
    case .over: return nil
    case .refused(let error): return .refused(error)
    case .unanswered:
      let result = try? await waiting.wait(for: .stopped, within: Self.goingTime)
      return result == .met ? .end : nil
    }
  }
}
