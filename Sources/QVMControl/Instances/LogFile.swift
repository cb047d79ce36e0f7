/// A log that another process writes, with a limit for its space on the disk.
///
/// While it is written, the space of its oldest bytes is freed and all offsets stay valid. Between
/// two boots it is shortened.
package struct LogFile: Sendable, Hashable {
  /// The space above which the log is cut, in bytes.
  package static let most = 8 << 20
  /// How many bytes at its end are kept then.
  package static let kept = 4 << 20

  package let path: String

  package init(_ path: String) { self.path = path }

  /// A part of a log.
  package struct Part: Sendable, Hashable {
    package let bytes: [UInt8]
    /// How many bytes before them were discarded.
    package let skipped: Int
    /// The offset of the next part.
    package let end: Int

    /// The last `count` lines. If lines are left out, `skipped` is 0, because they are not missing.
    package func lastLines(_ count: Int) -> Part {
      var left = count
      var start = bytes.count
      while start > 0 {
        // The newline at the very end begins no line.
        if bytes[start - 1] == UInt8(ascii: "\n"), start < bytes.count { left -= 1 }
        if left <= 0 { return Part(bytes: Array(bytes[start...]), skipped: 0, end: end) }
        start -= 1
      }
      return self
    }
  }

  /// Reads the log from an offset to another; to its end if that is nil.
  ///
  /// The offsets may be negative, if the beginning was cut off.
  package func read(from offset: Int, to end: Int? = nil) throws(FileError) -> Part {
    let last = end.map { max(0, $0) } ?? .max
    let start = min(last, Files.firstByte(of: path, from: max(0, offset)))
    var bytes = try Files.read(path, from: start, limit: .max)
    if bytes.count > last - start { bytes.removeLast(bytes.count - (last - start)) }
    return Part(bytes: bytes, skipped: start - offset, end: start + bytes.count)
  }

  /// Frees the space of the oldest bytes if the log takes too much. For a log that is being
  /// written.
  package func giveBack() {
    guard let size = Files.information(path)?.size, size > Self.most,
      size - Files.firstByte(of: path, from: 0) > Self.most
    else { return }
    // If the file system can't do that, the next boot shortens the log.
    _ = Files.release(first: size - Self.kept, of: path)
  }

  /// Shortens the log to whole lines at its end. No process may be writing it.
  ///
  /// - Returns: How many bytes were removed from its beginning.
  @discardableResult
  package func shorten() throws(FileError) -> Int {
    guard let found = Files.information(path), found.kind == .file, found.size > Self.most else {
      return 0
    }
    let end = try Files.read(path, from: found.size - Self.kept, limit: .max)
    let start = end.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    try Files.write(Array(end[start...]), to: path)
    return found.size - (end.count - start)
  }
}
