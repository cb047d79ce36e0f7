/// Receives the parts that a ``ControlScanner`` finds, in order.
protocol ControlSink {
  /// Whole printable characters in UTF-8.
  mutating func text(_ bytes: ArraySlice<UInt8>)
  /// A byte that isn't part of a valid character.
  mutating func invalid()
  /// An ASCII control character, or Delete. Never Escape, and not Cancel or Substitute inside a
  /// sequence.
  mutating func control(_ byte: UInt8)
  /// A complete sequence that begins with Escape.
  mutating func sequence(_ sequence: ControlSequence)
}

/// Parses what a program writes to a terminal, following ECMA-48 and the VT500 parser.
///
/// A sequence is delivered when its last byte has arrived, even if it arrived in pieces. So it is
/// always passed on as a whole. The rules:
///
/// * The bytes are UTF-8. The controls U+0080 to U+009F mean `ESC` and another character.
/// * Strings (`ESC ]`, `ESC P`, `ESC X`, `ESC ^`, `ESC _`, and the `ESC k` of screen) are dropped:
///   titles, clipboards, notes, pictures. They end with `ESC \`, with Cancel, Substitute or the
///   Escape of another sequence, or if they are implausibly long. All but `ESC P` also end with a
///   bell or a line end.
/// * Linux's `ESC ] P` with seven digits, and `ESC ] R`, have no terminator.
/// * Control characters inside a sequence are delivered at once. A byte above ASCII ends the
///   sequence.
/// * A sequence longer than ``longestSequence`` is dropped.
struct ControlScanner: Sendable {
  /// In bytes.
  static let longestSequence = 64
  /// A longer string, in bytes, is treated as unterminated and ends.
  static let longestString = 1 << 20

  private enum State { case text, escape, sequence, string, stringEscape }

  private var state = State.text
  /// The bytes of an incomplete sequence; at most ``longestSequence``.
  private var held: [UInt8] = []
  private var isTooLong = false
  /// The first bytes of an incomplete character.
  private var partial: [UInt8] = []
  /// The byte after the Escape of a string; `p` for Linux's `ESC ] P`.
  private var stringKind: UInt8 = 0
  private var stringCount = 0
  private var previous: UInt8 = 0

  private static let escape: UInt8 = 0x1B

  /// Reads the next bytes.
  mutating func scan(_ given: [UInt8], into sink: inout some ControlSink) {
    var bytes = given
    if !partial.isEmpty {
      bytes = partial + given
      partial = []
    }
    var index = 0
    while index < bytes.count {
      switch state {
      case .text: index = scanText(bytes, from: index, into: &sink)
      case .escape, .sequence: if step(bytes[index], into: &sink) { index += 1 }
      case .string, .stringEscape: if stepString(bytes[index]) { index += 1 }
      }
    }
  }

  /// Ends the input. An incomplete character is invalid.
  mutating func finish(into sink: inout some ControlSink) {
    if !partial.isEmpty { sink.invalid() }
    partial = []
    state = .text
  }

  // MARK: - Text

  /// Reads text up to the next control. Returns the index of the control or of the byte after it.
  private mutating func scanText(
    _ bytes: [UInt8], from start: Int, into sink: inout some ControlSink
  ) -> Int {
    var index = start
    var length = UTF8Length.none
    while index < bytes.count {
      if bytes[index] &- 0x20 < 0x5F {
        index += 1
      } else {
        length = UTF8Length(of: bytes, at: index)
        guard case .whole(let count) = length else { break }
        index += count
      }
    }
    if index > start { sink.text(bytes[start..<index]) }
    guard index < bytes.count else { return index }
    switch length {
    case .control:
      begin(bytes[index + 1] - 0x40, into: &sink)
      return index + 2
    case .cut:
      partial = Array(bytes[index...])
      return bytes.count
    case .whole, .none:
      let byte = bytes[index]
      if byte == Self.escape {
        state = .escape
        held.removeAll(keepingCapacity: true)
        held.append(byte)
        isTooLong = false
      } else if byte < 0x80 {
        sink.control(byte)
      } else {
        sink.invalid()
      }
      return index + 1
    }
  }

  /// Begins a sequence whose `ESC` and first byte were a single character.
  private mutating func begin(_ byte: UInt8, into sink: inout some ControlSink) {
    state = .escape
    held = [Self.escape]
    isTooLong = false
    _ = step(byte, into: &sink)
  }

  // MARK: - Sequences

  /// Reads a byte of a sequence; false if the byte isn't part of it.
  private mutating func step(_ byte: UInt8, into sink: inout some ControlSink) -> Bool {
    switch byte {
    case Self.escape:
      held = [byte]
      isTooLong = false
      state = .escape
    case 0x18, 0x1A: state = .text
    case 0..<0x20: sink.control(byte)
    case 0x7F: break
    case 0x80...:
      state = .text
      return false
    default: stepPrintable(byte, into: &sink)
    }
    return true
  }

  private mutating func stepPrintable(_ byte: UInt8, into sink: inout some ControlSink) {
    if held.count < Self.longestSequence { held.append(byte) } else { isTooLong = true }
    if state == .sequence {
      if byte >= 0x40 { finishSequence(into: &sink) }
    } else if byte >= 0x30 {
      let isFirst = held.count == 2
      switch byte {
      case UInt8(ascii: "[") where isFirst: state = .sequence
      case UInt8(ascii: "]") where isFirst, UInt8(ascii: "P") where isFirst,
        UInt8(ascii: "X") where isFirst, UInt8(ascii: "^") where isFirst,
        UInt8(ascii: "_") where isFirst, UInt8(ascii: "k") where isFirst:
        state = .string
        (stringKind, stringCount, previous) = (byte, 0, 0)
      default: finishSequence(into: &sink)
      }
    }
  }

  private mutating func finishSequence(into sink: inout some ControlSink) {
    state = .text
    if !isTooLong { sink.sequence(ControlSequence(held)) }
  }

  // MARK: - Strings

  /// Reads a byte of a string; false if the byte isn't part of it.
  private mutating func stepString(_ byte: UInt8) -> Bool {
    if state == .stringEscape {
      if byte == UInt8(ascii: "\\") {
        state = .text
        return true
      }
      state = .escape
      held = [Self.escape]
      isTooLong = false
      return false
    }
    stringCount += 1
    let isDeviceControl = stringKind == UInt8(ascii: "P")
    switch byte {
    case Self.escape: state = .stringEscape
    case 0x18, 0x1A: state = .text
    case 0x07 where !isDeviceControl: state = .text
    case 0x0A where !isDeviceControl:
      state = .text
      return false
    // The terminator as a single character.
    case 0x9C where previous == 0xC2: state = .text
    default:
      if stringCount > Self.longestString || endsPalette(byte) { state = .text }
    }
    previous = byte
    return true
  }

  /// Whether this is the last byte of a colour sequence of Linux's console.
  private mutating func endsPalette(_ byte: UInt8) -> Bool {
    if stringKind == UInt8(ascii: "p") { return stringCount == 8 }
    guard stringKind == UInt8(ascii: "]"), stringCount == 1 else { return false }
    if byte == UInt8(ascii: "P") { stringKind = UInt8(ascii: "p") }
    return byte == UInt8(ascii: "R")
  }
}

/// What a place in UTF-8 contains.
enum UTF8Length {
  /// A character of this many bytes.
  case whole(Int)
  /// The first bytes of an incomplete character.
  case cut
  /// A control of U+0080 to U+009F.
  case control
  /// No multi-byte character.
  case none

  init(of bytes: [UInt8], at index: Int) {
    let first = bytes[index]
    let count: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0xC2...0xDF: count = 2
    case 0xE0: (count, second) = (3, 0xA0...0xBF)
    case 0xED: (count, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: count = 3
    case 0xF0: (count, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: count = 4
    case 0xF4: (count, second) = (4, 0x80...0x8F)
    default:
      self = .none
      return
    }
    for offset in 1..<count {
      guard index + offset < bytes.count else {
        self = .cut
        return
      }
      guard (offset == 1 ? second : 0x80...0xBF) ~= bytes[index + offset] else {
        self = .none
        return
      }
    }
    self = first == 0xC2 && bytes[index + 1] < 0xA0 ? .control : .whole(count)
  }
}
