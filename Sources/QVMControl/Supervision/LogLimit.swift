internal import QMPClient

/// Keeps a log within its bounds while a VM runs. It wakes only when the log is written, and then
/// not more often than a guest can fill a disk.
enum LogLimit {
  private static let pause = Duration.seconds(2)

  /// Watches until the task is cancelled.
  static func keep(_ log: LogFile, on loop: EventLoop) async {
    guard let watch = try? FileWatch(log.path) else { return }
    do {
      while true {
        let far = SuspendingClock.now.advanced(by: .seconds(86_400))
        guard try await loop.ready(watch.descriptor.number, for: .read, until: far) else {
          continue
        }
        watch.clear()
        log.giveBack()
        try await loop.sleep(until: .now.advanced(by: pause))
      }
    } catch {
      // Cancelled: the VM has ended.
    }
  }
}
