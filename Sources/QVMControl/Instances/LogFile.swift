/// A log that somebody else writes, and what it may take on the disk.
///
/// While it is written its oldest bytes are given back to the disk and the others keep their places,
/// so that readers who count bytes miss nothing; between two boots it is made shorter indeed.
package struct LogFile: Sendable, Hashable {
  /// A log that takes more than this is cut, in bytes.
  package static let most = 8 << 20
  /// What is kept of it then, in bytes: its end.
  package static let kept = 4 << 20

  package let path: String

  package init(_ path: String) { self.path = path }

  /// A part of a log.
  package struct Part: Sendable, Hashable {
    package let bytes: [UInt8]
    /// How many bytes before them are not kept any more.
    package let skipped: Int
    /// Where the next part begins.
    package let end: Int

    /// Its last lines, at most so many: where there are more, nothing else is missed.
    package func lastLines(_ count: Int) -> Part {
      var left = count
      var start = bytes.count
      while start > 0 {
        // The end of the last line begins no other.
        if bytes[start - 1] == UInt8(ascii: "\n"), start < bytes.count { left -= 1 }
        if left <= 0 { return Part(bytes: Array(bytes[start...]), skipped: 0, end: end) }
        start -= 1
      }
      return self
    }
  }

  /// What the log has from an offset on, to another, or to its end where that is nil.
  ///
  /// The offsets may be before its beginning, where that was cut off.
  package func read(from offset: Int, to end: Int? = nil) throws(FileError) -> Part {
    let last = end.map { max(0, $0) } ?? .max
    let start = min(last, Files.firstByte(of: path, from: max(0, offset)))
    var bytes = try Files.read(path, from: start, limit: .max)
    if bytes.count > last - start { bytes.removeLast(bytes.count - (last - start)) }
    return Part(bytes: bytes, skipped: start - offset, end: start + bytes.count)
  }

  /// Gives the room of the oldest bytes back where the log takes too much; while it is written.
  package func giveBack() {
    guard let size = Files.information(path)?.size, size > Self.most,
      size - Files.firstByte(of: path, from: 0) > Self.most
    else { return }
    // Where a file system can't, the next boot makes the log shorter.
    _ = Files.release(first: size - Self.kept, of: path)
  }

  /// Makes the log as short as it may be, from the beginning of a line; while nobody writes it.
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
