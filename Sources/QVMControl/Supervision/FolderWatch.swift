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
  ///   - lock: The lock that is held: removed with the folder, wherever that was moved before.
  ///   - loop: Where to wait.
  ///   - removed: Is called where the folder is gone.
  static func keep(
    _ logs: [LogFile], _ lock: FileLock, on loop: EventLoop, removed: @Sendable () -> Void
  ) async {
    // Where nothing can be watched the next boot makes the logs shorter.
    let watch = (try? FileWatch([lock.path] + logs.map(\.path))) ?? (try? FileWatch(lock.path))
    do {
      while true {
        if lock.isRemoved { return removed() }
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
