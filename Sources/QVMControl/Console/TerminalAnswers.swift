/// Counts the terminal's own answers in its input: the cursor's position (`ESC [5;1R`), the status
/// (`ESC [0n`) and the type (`ESC [?62;4c`).
struct TerminalAnswers: Sendable {
  private var scanner = ControlScanner()
  private var counter = Counter()

  /// How many answers there were.
  var count: Int { counter.count }

  mutating func read(_ typed: [UInt8]) { scanner.scan(typed, into: &counter) }

  private struct Counter: ControlSink {
    var count = 0

    mutating func text(_ bytes: ArraySlice<UInt8>) {}
    mutating func invalid() {}
    mutating func control(_ byte: UInt8) {}

    mutating func sequence(_ sequence: ControlSequence) {
      guard sequence.isControl else { return }
      switch sequence.final {
      case UInt8(ascii: "R"), UInt8(ascii: "n"), UInt8(ascii: "c"): count += 1
      default: break
      }
    }
  }
}
