/// Filters a guest's output for a live terminal. A value: it takes bytes in pieces, divided
/// anywhere, and returns the bytes to write to the terminal.
///
/// It passes what programs on a serial console need: text, colours, cursor movements, erasing,
/// inserting, scroll regions, character sets, the alternate screen, and the modes that
/// ``TerminalModes`` can restore. It drops what acts beyond the screen: titles, the clipboard,
/// notes, links and the terminal's own colours (all of them strings, see ``ControlScanner``), the
/// window's size and position, printing, locking the keyboard, clearing the scrollback, and the
/// answerback. It also drops unknown sequences.
///
/// Queries with a fixed answer, or for the cursor's position (`ESC [5n`, `ESC [6n`, `ESC [c`, `ESC
/// [>c`, `ESC Z`), are passed while the terminal's answers reach the guest (``mostQuestions``).
/// Other queries are dropped.
///
/// Earlier lines on the screen are kept when the guest clears it (``KeptScreen``).
struct LiveConsole: Sendable {
  private var scanner = ControlScanner()
  private var screen = KeptScreen()
  /// How many queries are passed in total; 0 if the answers don't reach the guest.
  var mostQuestions = 0 { didSet { screen.mostQuestions = mostQuestions } }
  /// How many queries were passed.
  var questions: Int { screen.questions }
  /// The terminal's height in rows.
  var rows = 24 { didSet { screen.rows = max(rows, 1) } }
  var modes: TerminalModes { screen.modes }

  /// Whether the next output begins a line.
  var isAtLineStart: Bool { screen.isAtLineStart }

  /// Filters the next bytes. Returns the bytes to write.
  mutating func read(_ bytes: [UInt8]) -> [UInt8] {
    screen.output.removeAll(keepingCapacity: true)
    screen.output.reserveCapacity(bytes.count + 64)
    scanner.scan(bytes, into: &screen)
    return screen.output
  }

  /// Notes that other output than the guest's was written, on lines of its own.
  mutating func noteRemark() { screen.noteRemark() }

  /// The bytes that restore the terminal and move the cursor below all output.
  var farewell: [UInt8] { screen.farewell }

  /// The bytes that set the guest's modes again, after the ``farewell``.
  var comeback: [UInt8] { modes.application + (modes.movesCursor ? KeptScreen.toBottom : []) }
}
