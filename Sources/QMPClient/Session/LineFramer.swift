/// Splits a stream of bytes into lines, wherever the reads divided it.
///
/// Each byte is scanned once, so a line of many reads costs no more than a line of one.
struct LineFramer {
  /// A longer line, in bytes, ends the connection.
  let limit: Int
  private var buffer: [UInt8] = []
  private var start = 0
  private var scanned = 0

  init(limit: Int) { self.limit = limit }

  /// How many bytes of an incomplete line are buffered.
  var pendingCount: Int { buffer.count - start }

  mutating func append(_ bytes: [UInt8]) {
    if start == buffer.count {
      // A rare long line must not keep its memory for the life of the connection.
      buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 18)
      start = 0
      scanned = 0
    } else if start > 1 << 16 {
      buffer.removeSubrange(..<start)
      scanned -= start
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// Calls a body with the next whole line, without its LF or CRLF; nil if there is none yet.
  ///
  /// - Throws: `lineTooLong`.
  mutating func next<Result>(
    _ body: (UnsafeBufferPointer<UInt8>) -> Result
  ) throws(QMPError) -> Result? {
    let end = buffer.withUnsafeBufferPointer { bytes -> Int? in
      let end = bytes.firstIndex(of: 0x0A, from: scanned)
      scanned = end ?? bytes.count
      return end
    }
    guard let end else {
      if pendingCount > limit { throw .lineTooLong(limit: limit) }
      return nil
    }
    if end - start > limit { throw .lineTooLong(limit: limit) }
    defer {
      start = end + 1
      scanned = start
    }
    return buffer.withUnsafeBufferPointer { bytes in
      let stop = end > start && bytes[end - 1] == 0x0D ? end - 1 : end
      return body(UnsafeBufferPointer(rebasing: bytes[start..<stop]))
    }
  }
}
