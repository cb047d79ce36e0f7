internal import QMPClient

/// An ssh that exited with 255: it failed while it ran a command, or 255 is the command's own status.
struct ConnectionLoss: Sendable {
  let command: GuestCommand
  let ssh: GuestSSH

  /// How long QEMU may take to exit after its connections were closed.
  private static let goingTime = Duration.seconds(2)

  /// Finds out what happened.
  ///
  /// - Parameter waiting: Waits for the VM.
  /// - Returns: A sentence; nil if the command has ended by itself, or ssh's own message says it all.
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
