/// Reduces a guest's output to text, for a terminal that shows past output among qvm's own lines.
///
/// A value: it takes bytes in pieces, divided anywhere, and keeps at most one sequence in memory.
/// The output has:
///
/// * text, tabs and line ends unchanged; U+FFFD for invalid UTF-8;
/// * carriage returns and backspaces unchanged, with which a guest overwrites its own line;
/// * no control sequences and strings (``ControlScanner``), no other control characters, and no
///   overrides of the writing direction;
/// * a line end in place of a sequence that moves to another line or clears the screen, unless the
///   line is empty. So separate pieces of text don't run together.
package struct PlainConsole: Sendable {
  private var scanner = ControlScanner()
  private var text = Text()

  package init() {}

  /// Filters the next bytes. Returns the text to show.
  package mutating func read(_ bytes: [UInt8]) -> [UInt8] {
    text.output.removeAll(keepingCapacity: true)
    text.output.reserveCapacity(bytes.count)
    scanner.scan(bytes, into: &text)
    return text.output
  }

  /// Whether the next output begins a line.
  var isAtLineStart: Bool { text.column == .start }

  private struct Text: ControlSink {
    enum Column { case start, returned, within }

    var output: [UInt8] = []
    var column = Column.start

    mutating func text(_ bytes: ArraySlice<UInt8>) {
      column = .within
      // No character below U+0600 changes how its neighbours are read.
      if bytes.allSatisfy({ $0 < 0xD8 }) { return output.append(contentsOf: bytes) }
      for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars
      where ForeignText.isHarmless(scalar) { output.append(contentsOf: scalar.utf8) }
    }

    mutating func invalid() {
      column = .within
      output.append(contentsOf: [0xEF, 0xBF, 0xBD])
    }

    mutating func control(_ byte: UInt8) {
      switch byte {
      case 0x0A:
        output.append(byte)
        column = .start
      case 0x0D:
        output.append(byte)
        if column == .within { column = .returned }
      case 0x08, 0x09: output.append(byte)
      default: break
      }
    }

    mutating func sequence(_ sequence: ControlSequence) {
      guard column != .start, Self.leavesLine(sequence) else { return }
      output.append(0x0A)
      column = .start
    }

    private static func leavesLine(_ sequence: ControlSequence) -> Bool {
      guard sequence.intermediates.isEmpty else { return false }
      switch (sequence.isControl, sequence.final) {
      case (true, UInt8(ascii: "A")), (true, UInt8(ascii: "B")), (true, UInt8(ascii: "E")),
        (true, UInt8(ascii: "F")), (true, UInt8(ascii: "H")), (true, UInt8(ascii: "d")),
        (true, UInt8(ascii: "f")):
        return sequence.prefix == nil
      // A shell clears below its line without leaving it.
      case (true, UInt8(ascii: "J")): return sequence.parameters == [2]
      case (false, UInt8(ascii: "D")), (false, UInt8(ascii: "E")), (false, UInt8(ascii: "M")),
        (false, UInt8(ascii: "c")):
        return true
      default: return false
      }
    }
  }
}
