internal import QMPClient

/// Ends a command in the guest, and checks whether it runs.
extension GuestCommand {
  /// The timeout for reaching the guest and ending the command.
  private static let endingTime = Duration.seconds(30)
  /// The timeout of that connection, in seconds.
  private static let connectTime = 10
  /// The timeout of the connection that only checks, in seconds.
  private static let lookingTime = 5

  private static let tries = 3

  enum Ending: Sendable, Hashable {
    case ended
    /// It had not started, and won't.
    case notBegun
    /// Why it could not be ended.
    case notTold(String)
    /// The task was cancelled.
    case cancelled
  }

  /// Ends the command over a connection of its own.
  ///
  /// A signal to the whole job may also end that connection's ssh. Then it is retried.
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
        // Also thrown if the user's interrupt ended ssh.
        continue
      } catch {
        return .notTold((error as? any UserFacingError)?.message ?? "\(error)")
      }
    }
    return Task.isCancelled ? .cancelled : .notTold("ssh was ended by a signal")
  }

  /// Whether the command still runs although its connection is gone; nil if the guest doesn't
  /// answer.
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
