#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// What the kernel wrote down, where this user may read it.
package enum KernelLog {
  /// The most records that are looked at.
  private static let most = 50_000

  /// Looks whether the kernel says that it killed a process for want of memory.
  ///
  /// - Parameters:
  ///   - pid: The process, as the host counts.
  ///   - since: When it began, in hundredths of a second since the host's start: before that the pid
  ///     was another's.
  /// - Returns: Whether it does; nil where its log can't be read.
  package static func toldOfKill(of pid: Int32, since: UInt64) -> Bool? {
    #if canImport(Darwin)
      return nil
    #else
      let descriptor = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { return nil }
      defer { close(descriptor) }
      for _ in 0..<most {
        // One record a read.
        guard let record = Files.readOnce(descriptor, atMost: 1 << 13) else {
          // Overwritten while it was read; the next one is there.
          if errno == EPIPE { continue }
          return false
        }
        if record.isEmpty { return false }
        if tells(String(decoding: record, as: UTF8.self), ofKill: pid, since: since) { return true }
      }
      return false
    #endif
  }

  /// Whether a record, `priority,sequence,microseconds,flags;text`, is of a kill of a process.
  package static func tells(_ record: String, ofKill pid: Int32, since: UInt64) -> Bool {
    guard let end = record.firstIndex(of: ";") else { return false }
    let head = record[..<end].split(separator: ",")
    guard head.count >= 3, let microseconds = UInt64(head[2]), microseconds / 10_000 + 1 >= since
    else { return false }
    let text = record[end...].lowercased()
    return text.contains("out of memory: killed process \(pid) ")
  }
}
