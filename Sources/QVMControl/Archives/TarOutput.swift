/// The end of an archive that is being written: collects blocks, and writes many at once.
struct TarOutput: ~Copyable {
  private let stream: ByteStream
  // Aligned: copies into a pipe take twice as long from an address between two cache lines.
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
  private var filled = 0

  init(_ stream: ByteStream) { self.stream = stream }

  deinit { buffer.deallocate() }

  /// How many bytes fit before the next flush.
  var room: Int { buffer.count - filled }

  /// Writes what has been collected.
  mutating func flush() throws {
    let count = filled
    filled = 0
    try stream.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
  }

  /// Adds a header, zeros at first. There must be room for it.
  mutating func addHeader(_ fill: (UnsafeMutableRawBufferPointer) -> Void) {
    let range = filled..<(filled + TarFormat.block)
    let header = UnsafeMutableRawBufferPointer(rebasing: buffer[range])
    header.initializeMemory(as: UInt8.self, repeating: 0)
    fill(header)
    let sum = TarFormat.checksums(UnsafeRawBufferPointer(header)).unsigned
    TarFormat.setOctal(sum, TarFormat.Field.checksum.dropLast(2), of: header)
    // Six digits, a zero byte and a blank.
    header[TarFormat.Field.checksum.upperBound - 2] = 0
    header[TarFormat.Field.checksum.upperBound - 1] = 0x20
    filled = range.upperBound
  }

  /// Adds what a body writes into the room that is left, at most `limit` bytes; 0 at the end.
  /// Returns how many that were.
  mutating func add(
    upTo limit: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int
  ) -> Int {
    let range = filled..<(filled + min(limit, room))
    let count = body(UnsafeMutableRawBufferPointer(rebasing: buffer[range]))
    filled += max(0, count)
    return count
  }

  /// Adds zeros, writing as often as needed.
  mutating func addZeros(_ count: Int) throws {
    var rest = count
    while rest > 0 {
      if room == 0 { try flush() }
      rest -= add(upTo: rest) {
        $0.initializeMemory(as: UInt8.self, repeating: 0)
        return $0.count
      }
    }
  }

  /// Adds bytes, writing as often as needed.
  mutating func add(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      if room == 0 { try flush() }
      let count = add(upTo: rest.count) { room in
        room.copyBytes(from: rest.prefix(room.count))
        return room.count
      }
      rest = rest.dropFirst(count)
    }
  }
}
