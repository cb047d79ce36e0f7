internal import QMPClient

/// Having the guest end a command, and asking after it.
extension GuestCommand {
  /// How long the guest may take to be told, and to do it.
  private static let endingTime = Duration.seconds(30)
  /// How long the connection for that may take, in seconds.
  private static let connectTime = 10
  /// The same where it is only asked after.
  private static let lookingTime = 5

  private static let tries = 3

  enum Ending: Sendable, Hashable {
    case ended
    /// It had not begun, and won't.
    case notBegun
    /// Why the guest could not be told.
    case notTold(String)
    /// Nobody waits for it any more.
    case cancelled
  }

  /// Ends the command by a connection of its own.
  ///
  /// A signal that is sent to all of the job, one after the other, may end that connection's ssh, too:
  /// then there is another.
  func end(by ssh: GuestSSH, on loop: EventLoop) async -> Ending {
    for _ in 0..<Self.tries where !Task.isCancelled {
      do {
        let output = try await run(
          endingLine, by: ssh, connecting: Self.connectTime, within: Self.endingTime, on: loop)
        switch output.end {
        case .exited(0): return .ended
        case .exited(Self.notBegun): return .notBegun
        case .signalled where output.exceeded == nil: continue
        default: return .notTold(output.complaint)
        }
      } catch is CancellationError {
        // Or the user's interrupt, which ended the program.
        continue
      } catch {
        return .notTold((error as? any UserFacingError)?.message ?? "\(error)")
      }
    }
    return Task.isCancelled ? .cancelled : .notTold("ssh was ended by a signal")
  }

  /// Whether the command runs, though its connection is gone; nil where the guest doesn't say.
  func isRunning(by ssh: GuestSSH, on loop: EventLoop) async -> Bool? {
    let output = try? await run(
      lookingLine, by: ssh, connecting: Self.lookingTime, within: .seconds(2 * Self.lookingTime),
      on: loop)
    return switch output?.end {
    case .exited(0): true
    case .exited(Self.isOver): false
    default: nil
    }
  }

  private func run(
    _ line: String, by ssh: GuestSSH, connecting seconds: Int, within limit: Duration,
    on loop: EventLoop
  ) async throws -> Subprocess.Output {
    let arguments = ssh.arguments(
      [line], options: ["-o", "BatchMode=yes", "-o", "ConnectTimeout=\(seconds)"],
      insisting: .seconds(seconds))
    return try await Subprocess.run(ssh.program, arguments, within: limit, on: loop)
  }
}
