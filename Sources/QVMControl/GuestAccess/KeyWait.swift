package import QMPClient

/// Waits until a guest has taken the keys of its disk.
///
/// OpenBSD starts its ssh server before the script that reads the disk, and until then the server denies
/// the login. So the first command of a boot tries until it gets in. Later commands find the boot's token
/// in a file and try nothing.
package struct KeyWait: Sendable {
  /// The longest wait. A guest that still denies the login has another list of keys, of the user's making.
  static let longest = Duration.seconds(120)
  /// How long a wait may go unnoticed.
  private static let unnoticed = Duration.seconds(5)
  private static let pauses = (first: Duration.milliseconds(250), longest: Duration.seconds(2))

  private let token: String
  private let file: String

  /// The wait for an instance's present boot; nil if there is nothing to wait for.
  package init?(_ files: InstanceFiles) {
    guard let boot = files.bootRecord, QEMUArguments(boot.command).hasKeyDisk,
      Files.text(files.keysTaken) != boot.token
    else { return nil }
    token = boot.token
    file = files.keysTaken
  }

  /// Returns when the login isn't denied any more, or after ``longest``. Any other failure of ssh is left
  /// to the command that follows.
  ///
  /// - Parameters:
  ///   - ssh: How the guest is reached, as the image's user.
  ///   - limit: How long to wait at most.
  ///   - loop: The loop that the calling task runs on.
  ///   - remark: Called once, if it takes some seconds.
  /// - Throws: ``SpawnError``; `CancellationError`.
  package func wait(
    by ssh: GuestSSH, within limit: Duration, on loop: EventLoop, remark: () -> Void
  ) async throws {
    let begin = SuspendingClock.now
    let deadline = begin.advanced(by: min(limit, Self.longest))
    var isNoticed = false
    var pause = Self.pauses.first
    while true {
      let left = max(.zero, SuspendingClock.now.duration(to: deadline))
      let arguments = ssh.arguments(["true"], options: ["-o", "BatchMode=yes"], retryingFor: left)
      let output = try await Subprocess.run(ssh.program, arguments, on: loop)
      let isDenied = !output.succeeded && output.problem.contains("Permission denied (")
      guard isDenied || output.succeeded else { return }
      if !isDenied || SuspendingClock.now.advanced(by: pause) >= deadline {
        // The next boot writes another token.
        try? Files.write(Array(token.utf8), to: file, isLasting: false)
        return
      }
      if !isNoticed, begin.duration(to: .now) >= Self.unnoticed {
        isNoticed = true
        remark()
      }
      try await loop.sleep(until: .now.advanced(by: pause))
      pause = min(pause * 1.5, Self.pauses.longest)
    }
  }
}
