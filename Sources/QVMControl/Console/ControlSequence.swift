/// A complete escape or control sequence, such as `ESC [ ? 25 h`.
struct ControlSequence: Sendable, Hashable {
  /// All bytes, in the 7-bit form.
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  init(_ text: String) { bytes = Array("\u{1B}\(text)".utf8) }

  /// The final byte, which identifies the function.
  var final: UInt8 { bytes[bytes.count - 1] }

  /// Whether it is a control sequence (CSI), which has parameters.
  var isControl: Bool { bytes.count > 2 && bytes[1] == UInt8(ascii: "[") }

  /// The character of `<=>?` before the parameters; nil without one.
  var prefix: UInt8? {
    isControl && UInt8(ascii: "<")...UInt8(ascii: "?") ~= bytes[2] ? bytes[2] : nil
  }

  /// The bytes between the parameters, or `ESC`, and the final byte.
  var intermediates: ArraySlice<UInt8> {
    let inner = bytes[(isControl ? 2 : 1)..<(bytes.count - 1)]
    guard let start = inner.firstIndex(where: { 0x20..<0x30 ~= $0 }) else {
      return inner[inner.endIndex...]
    }
    return inner[start...]
  }

  /// The parameters; 0 for an omitted one. Nil if they aren't numbers.
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
