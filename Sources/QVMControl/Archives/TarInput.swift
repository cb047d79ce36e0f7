/// The beginning of an archive that is being read: gives blocks, and reads many at once.
struct TarInput: ~Copyable {
  private let stream: ByteStream
  // Aligned, as that of ``TarOutput``.
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
  /// What has been read and not been taken yet.
  private var rest = 0..<0

  init(_ stream: ByteStream) { self.stream = stream }

  deinit { buffer.deallocate() }

  /// Reads until there are at least so many bytes, or the end. Returns how many there are.
  private mutating func fill(_ count: Int) throws -> Int {
    while rest.count < count {
      if rest.isEmpty { rest = 0..<0 }
      if buffer.count - rest.lowerBound < count {
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[rest]))
        rest = 0..<rest.count
      }
      let free = rest.upperBound..<buffer.count
      let read = try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[free]))
      if read == 0 { break }
      rest = rest.lowerBound..<(rest.upperBound + read)
    }
    return rest.count
  }

  /// Passes the next block to a body; nil at the end.
  ///
  /// - Throws: ``TarError/truncated`` if a part of a block is left.
  mutating func block<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result? {
    let count = try fill(TarFormat.block)
    if count == 0 { return nil }
    guard count >= TarFormat.block else { throw TarError.truncated }
    let range = rest.prefix(TarFormat.block)
    rest = rest.dropFirst(TarFormat.block)
    return try body(UnsafeRawBufferPointer(rebasing: buffer[range]))
  }

  /// Passes so many bytes to a body, in parts.
  mutating func take(_ count: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    var missing = count
    while missing > 0 {
      guard try fill(1) > 0 else { throw TarError.truncated }
      let range = rest.prefix(missing)
      rest = rest.dropFirst(range.count)
      missing -= range.count
      try body(UnsafeRawBufferPointer(rebasing: buffer[range]))
    }
  }
}
