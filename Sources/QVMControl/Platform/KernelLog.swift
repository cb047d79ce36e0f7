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

  /// The processes that the kernel says it killed for want of memory, as the host counts them.
  ///
  /// - Parameter since: From when on, in hundredths of a second since the host's start.
  /// - Returns: Nil where its log can't be read.
  package static func kills(since: UInt64) -> [Int32]? {
    #if canImport(Darwin)
      return nil
    #else
      let descriptor = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { return nil }
      defer { close(descriptor) }
      var killed: [Int32] = []
      for _ in 0..<most {
        // One record a read.
        guard let record = Files.readOnce(descriptor, atMost: 1 << 13) else {
          // Overwritten while it was read; the next one is there.
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

  /// The process of whose kill a record, `priority,sequence,microseconds,flags;text`, tells; nil for
  /// any other record.
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
