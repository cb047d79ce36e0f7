internal import QMPClient

/// How much of a console's log was shown. The rest can be shown later.
struct ConsoleLogPlace {
  /// The maximum that is shown of what was missed, in bytes.
  static let mostMissed = 1 << 20
  /// How many bytes identify a place in the log.
  private static let tailSize = 48

  private let path: String
  /// In bytes from the log's beginning.
  private(set) var position: Int
  /// The last bytes that were shown.
  private var tail: [UInt8] = []

  init(_ path: String) {
    self.path = path
    position = Files.information(path)?.size ?? 0
  }

  private var size: Int { Files.information(path)?.size ?? 0 }

  /// Notes that everything before a position, in bytes, was shown.
  mutating func move(to position: Int) { self.position = position }

  /// Notes bytes that came from the console and were shown.
  mutating func note(_ bytes: [UInt8]) {
    position += bytes.count
    tail = (tail + bytes.suffix(Self.tailSize)).suffix(Self.tailSize)
  }

  /// Moves to the end of what was shown.
  ///
  /// QEMU writes a byte to its log twice if the console took it only at the second attempt. So the
  /// count of shown bytes is a little too small, and this searches the log for the last shown bytes,
  /// from its end.
  mutating func findEndOfShown() {
    let from = max(position - Self.tailSize, size - (1 << 18), 0)
    guard tail.count == Self.tailSize, let bytes = try? Files.read(path, from: from),
      bytes.count >= tail.count
    else { return }
    var start = bytes.count - tail.count
    while start >= 0 {
      if bytes[start] == tail[0], bytes[start..<start + tail.count].elementsEqual(tail) {
        position = from + start + tail.count
        return
      }
      start -= 1
    }
  }

  /// The bytes that were not shown yet, and how many before them are skipped.
  mutating func takeMissed() -> (leftOut: Int, bytes: [UInt8]) {
    let leftOut = max(0, size - position - Self.mostMissed)
    position += leftOut
    let bytes = (try? Files.read(path, from: position)) ?? []
    position += bytes.count
    return (leftOut, bytes)
  }
}
