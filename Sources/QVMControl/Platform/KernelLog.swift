#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The kernel's log, if this user may read it.
package enum KernelLog {
  /// How many records are read at most.
  private static let most = 50_000

  /// The processes that the kernel killed because memory was short, by their pids on the host.
  ///
  /// - Parameter since: The time from which on to look, in hundredths of a second since the host's
  ///   boot.
  /// - Returns: The pids; nil if the log can't be read.
  package static func kills(since: UInt64) -> [Int32]? {
    #if canImport(Darwin)
      return nil
    #else
      let descriptor = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { return nil }
      defer { close(descriptor) }
      var killed: [Int32] = []
      for _ in 0..<most {
        // Each read returns one record.
        guard let record = Files.readOnce(descriptor, atMost: 1 << 13) else {
          // The record was overwritten while it was read. The next one is readable.
          if errno == EPIPE { continue }
          break
        }
        if record.isEmpty { break }
        let text = String(decoding: record, as: UTF8.self)
        if let pid = Self.killed(text, since: since) { killed.append(pid) }
      }
      return killed
    #endif
  }

  /// The pid in a record of a kill; nil for any other record. A record is
  /// `priority,sequence,microseconds,flags;text`.
  package static func killed(_ record: String, since: UInt64) -> Int32? {
    guard let end = record.firstIndex(of: ";") else { return nil }
    let head = record[..<end].split(separator: ",")
    guard head.count >= 3, let microseconds = UInt64(head[2]), microseconds / 10_000 + 1 >= since
    else { return nil }
    let text = record[end...].lowercased()
    guard let place = text.firstRange(of: "out of memory: killed process ") else { return nil }
    let number = text[place.upperBound...].prefix { $0.isNumber }
    return text[number.endIndex...].hasPrefix(" ") ? Int32(number) : nil
  }
}
