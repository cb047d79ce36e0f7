internal import QMPClient

/// Watches what a VM has in its folder while it runs: keeps its logs within their bounds, and notices
/// that the folder was removed. With one watch for both, since a user may have some hundred; it wakes
/// only when one of the files changes, and then not more often than a guest can fill a disk.
enum FolderWatch {
  private static let pause = Duration.milliseconds(200)

  /// Watches until the task is cancelled, or the folder is gone.
  ///
  /// - Parameters:
  ///   - logs: The logs that are written.
  ///   - locks: The paths of the locks, which are removed with the folder.
  ///   - loop: Where to wait.
  ///   - isGone: Whether the folder was removed, wherever it was moved before.
  ///   - removed: Called if the folder was removed.
  static func keep(
    _ logs: [LogFile], _ locks: [String], on loop: EventLoop,
    isGone: @Sendable () async -> Bool, removed: @Sendable () -> Void
  ) async {
    // Where nothing can be watched the next boot makes the logs shorter.
    let watch = (try? FileWatch(locks + logs.map(\.path))) ?? (try? FileWatch(locks))
    do {
      while true {
        if await isGone() { return removed() }
        guard let watch else { return }
        let far = SuspendingClock.now.advanced(by: .seconds(86_400))
        guard try await loop.ready(watch.descriptor.number, for: .read, until: far) else {
          continue
        }
        watch.clear()
        for log in logs { log.giveBack() }
        try await loop.sleep(until: .now.advanced(by: pause))
      }
    } catch {
      // Cancelled: the VM has ended.
    }
  }
}
