internal import QMPClient

/// An ssh that failed while it ran a command, or a command that has 255 as its own exit status.
struct ConnectionLoss: Sendable {
  let command: GuestCommand
  let ssh: GuestSSH

  /// How long QEMU's end may come after that of its connections.
  private static let goingTime = Duration.seconds(2)

  /// What the user should know.
  ///
  /// - Parameter waiting: Waits for the VM.
  /// - Returns: A sentence; nil where the command has ended by itself, or ssh has said it all.
  func explanation(_ waiting: InstanceWait) async -> String? {
    switch await command.isRunning(by: ssh, on: waiting.loop) {
    case true?:
      return "the connection to \(waiting.name) was lost; the command may still be running there"
    case false?: return nil
    case nil:
      let result = try? await waiting.wait(for: .stopped, within: Self.goingTime)
      guard result == .met else { return nil }
      return "the guest is gone: \(waiting.name) ended while the command ran"
    }
  }
}
