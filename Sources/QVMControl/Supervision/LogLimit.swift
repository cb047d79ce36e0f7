internal import QMPClient

/// Keeps logs within their bounds while a VM runs. It wakes only when one of them is written, and
/// then not more often than a guest can fill a disk.
enum LogLimit {
  private static let pause = Duration.milliseconds(200)

  /// Watches until the task is cancelled.
  static func keep(_ logs: [LogFile], on loop: EventLoop) async {
    // Where nothing can be watched the next boot makes them shorter.
    guard let watch = try? FileWatch(logs.map(\.path)) else { return }
    do {
      while true {
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
