/// A complete escape or control sequence: `ESC` and what follows it, `ESC [ ? 25 h` for example.
struct ControlSequence: Sendable, Hashable {
  /// All of it, in its form of seven bits.
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  init(_ text: String) { bytes = Array("\u{1B}\(text)".utf8) }

  /// The last byte, which says what it is.
  var final: UInt8 { bytes[bytes.count - 1] }

  /// Whether it is a control sequence, which has parameters.
  var isControl: Bool { bytes.count > 2 && bytes[1] == UInt8(ascii: "[") }

  /// The character of `<=>?` before the parameters; nil without one.
  var prefix: UInt8? {
    isControl && UInt8(ascii: "<")...UInt8(ascii: "?") ~= bytes[2] ? bytes[2] : nil
  }

  /// What stands between the parameters and the last byte, or behind `ESC`.
  var intermediates: ArraySlice<UInt8> {
    let inner = bytes[(isControl ? 2 : 1)..<(bytes.count - 1)]
    guard let start = inner.firstIndex(where: { 0x20..<0x30 ~= $0 }) else {
      return inner[inner.endIndex...]
    }
    return inner[start...]
  }

  /// The parameters; 0 for one that is left out. Nil where they are no numbers.
  var parameters: [Int]? {
    guard isControl else { return [] }
    var numbers: [Int] = []
    var number = 0
    let end = bytes.count - 1 - intermediates.count
    let start = prefix == nil ? 2 : 3
    guard start <= end else { return nil }
    for byte in bytes[start..<end] {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        number = min(number * 10 + Int(byte - UInt8(ascii: "0")), 1 << 20)
      case UInt8(ascii: ";"):
        numbers.append(number)
        number = 0
      default: return nil
      }
    }
    return start == end ? [] : numbers + [number]
  }
}
