/// What a guest may do with the terminal that shows its console: a value that is fed in pieces, cut
/// anywhere, and gives what is to be written to the terminal.
///
/// Passed on is what programs on a serial console need: text, colours, the cursor's moves, erasing,
/// inserting, scroll regions, character sets, the alternate screen, and the modes that
/// ``TerminalModes`` knows how to switch back. Kept back is what reaches beyond the screen: titles,
/// the clipboard, notes, links, colours of the terminal itself (all that are strings, see
/// ``ControlScanner``), the window's size and place, printing, the keyboard's lock, the scrollback's
/// end, the answerback; and what isn't known.
///
/// Questions whose answers are fixed or say where the cursor is (`ESC [5n`, `ESC [6n`, `ESC [c`,
/// `ESC [>c`, `ESC Z`) are passed on while somebody types what the terminal answers to the guest
/// (``mostQuestions``); others are not.
///
/// What stood on the screen before the guest cleared it stays (``KeptScreen``).
struct LiveConsole: Sendable {
  private var scanner = ControlScanner()
  private var screen = KeptScreen()
  /// How many questions are passed on in all; 0 where nobody types the answers to the guest.
  var mostQuestions = 0 { didSet { screen.mostQuestions = mostQuestions } }
  /// How many questions were passed on.
  var questions: Int { screen.questions }
  /// The terminal's height in rows.
  var rows = 24 { didSet { screen.rows = max(rows, 1) } }
  var modes: TerminalModes { screen.modes }

  /// Whether what comes next begins a line.
  var isAtLineStart: Bool { screen.isAtLineStart }

  /// What is to be written for the next bytes.
  mutating func read(_ bytes: [UInt8]) -> [UInt8] {
    screen.output.removeAll(keepingCapacity: true)
    screen.output.reserveCapacity(bytes.count + 64)
    scanner.scan(bytes, into: &screen)
    return screen.output
  }

  /// Something that isn't the guest's was written, on lines of its own.
  mutating func noteRemark() { screen.noteRemark() }

  /// What is to be written so that the terminal is as it was, with the cursor below everything.
  var farewell: [UInt8] { screen.farewell }

  /// What is to be written so that the terminal is as the guest has it, after the ``farewell``.
  var comeback: [UInt8] { modes.application + (modes.movesCursor ? KeptScreen.toBottom : []) }
}
