package import QMPClient

/// Where the guest's console and qvm's own remarks are shown.
///
/// Never blocks: what standard output doesn't take yet is kept, up to a limit, and what goes beyond
/// is left out and said so. Neither a slow reader nor one that stopped reading may hold up the guest
/// or make this process deaf to Ctrl-C.
///
/// A terminal gets what ``LiveConsole`` lets through while the session has it (``enter()``), and text
/// alone (``PlainConsole``) before and after, as for what the guest wrote in the past. Whatever else
/// standard output is gets every byte as it came.
package struct ConsoleOutput: Sendable {
  /// The most that is kept for standard output, in bytes.
  private static let mostPending = 1 << 20
  /// A pipe that is ready takes this much without blocking: PIPE_BUF.
  private static let piece = 4096
  /// How long the terminal may take to answer what the guest asked.
  private static let answerTime = Duration.milliseconds(300)
  /// The most questions of a guest that wait for the terminal's answer: one that asks for ever must
  /// not fill what is typed after the session.
  private static let mostQuestions = 32

  private let isTerminal = Terminal.isTerminal(1)
  private var live = LiveConsole()
  private var plain = PlainConsole()
  private var answers = TerminalAnswers()
  /// Whether the terminal is the session's.
  private var isEntered = false
  /// Whether the terminal's answers reach the guest, as keys do.
  private var passesKeys = false
  /// How the terminal is, when all that is pending is written.
  private var modes = TerminalModes()
  /// Whether the last byte shown ended a line; the same when all that is pending is written.
  private var (isAtLineStart, endsAtLineStart) = (true, true)
  private var pending: [UInt8] = []
  private var leftOut = 0
  /// Why standard output takes no more; nil while it does.
  package private(set) var failure: OutputError?

  package init() {}

  /// Whether standard output still takes anything.
  package var isOpen: Bool { failure == nil }

  /// Whether something waits for standard output to be ready.
  package var isPending: Bool { isOpen && !pending.isEmpty }

  // MARK: - The console

  /// Shows what the guest wrote.
  ///
  /// - Parameters:
  ///   - bytes: As they came.
  ///   - isPast: Whether the guest wrote them before: it waits for no answer any more.
  package mutating func show(_ bytes: [UInt8], isPast: Bool = false) {
    guard isOpen else { return }
    guard isTerminal else {
      let room = max(0, Self.mostPending - pending.count)
      leftOut += max(0, bytes.count - room)
      append(bytes.prefix(room), endsAtLineStart: Self.endsLine(bytes.last))
      return
    }
    live.rows = Terminal.height(of: 1) ?? 24
    live.mostQuestions =
      passesKeys && isEntered && !isPast ? answers.count + Self.mostQuestions : 0
    let passed = live.read(bytes)
    if isEntered {
      // A sequence is shown whole or not at all.
      if pending.count + passed.count > Self.mostPending {
        leftOut += bytes.count
      } else {
        append(passed[...], endsAtLineStart: live.isAtLineStart)
        noteModes()
      }
    } else {
      showText(bytes)
    }
  }

  /// Shows the last screenful of a console's log, so that one knows where the guest is.
  ///
  /// - Parameter log: The path.
  /// - Returns: How much of the log there was, in bytes.
  @discardableResult
  package mutating func showTail(of log: String) -> Int {
    let size = Files.information(log)?.size ?? 0
    let bytes = (try? Files.read(log, from: max(0, size - 2048), limit: .max)) ?? []
    // From the beginning of a line on.
    let start = size > 2048 ? bytes.firstIndex(of: 0x0A).map { $0 + 1 } ?? 0 : 0
    if isTerminal { showText(Array(bytes[start...])) } else { show(Array(bytes[start...])) }
    return max(0, size - 2048) + bytes.count
  }

  private mutating func showText(_ bytes: [UInt8]) {
    let text = plain.read(bytes)
    guard pending.count + text.count <= Self.mostPending else {
      leftOut += bytes.count
      return
    }
    append(text[...], endsAtLineStart: plain.isAtLineStart)
  }

  private static func endsLine(_ last: UInt8?) -> Bool { last == 0x0A || last == 0x0D }

  // MARK: - The terminal

  /// The terminal is the session's from now on: it is as the guest has it.
  ///
  /// - Parameter passesKeys: Whether what is typed goes to the guest.
  package mutating func enter(passesKeys: Bool) {
    self.passesKeys = passesKeys
    guard isTerminal, !isEntered else { return }
    isEntered = true
    live.noteRemark()
    append(live.comeback[...], endsAtLineStart: endsAtLineStart)
    noteModes()
  }

  /// The terminal is somebody else's from now on: what the guest switched is switched back.
  ///
  /// An answer that the terminal owes the guest is read, so that it doesn't stand at a shell's prompt;
  /// keys that are typed in that moment go with it.
  package mutating func leave() {
    guard isEntered else { return }
    let bytes = live.farewell
    // The rest of what is pending would switch things again.
    if isPending { flush(within: .milliseconds(100)) }
    if isPending { pending = modes.restoration }
    append(
      bytes[...],
      endsAtLineStart: bytes.last == 0x0A || endsAtLineStart && !live.modes.isAlternate)
    isEntered = false
    TerminalRestorer.disarmScreen()
    let deadline = SuspendingClock.now.advanced(by: Self.answerTime)
    // In the background reading would stop this process.
    while passesKeys, answers.count < live.questions, Terminal.isForeground(0),
      SocketCalls.wait(0, for: .read, until: deadline), let typed = Files.readSome(0)
    { answers.read(typed) }
    passesKeys = false
  }

  /// Notes what was typed on the terminal, before it goes to the guest.
  package mutating func noteTyped(_ bytes: [UInt8]) {
    if answers.count < live.questions { answers.read(bytes) }
  }

  /// Should this process crash, the terminal is as it was all the same.
  private mutating func noteModes() {
    if live.modes == modes { return }
    modes = live.modes
    let farewell = live.farewell
    if farewell.isEmpty {
      TerminalRestorer.disarmScreen()
    } else {
      TerminalRestorer.armScreen(farewell)
    }
  }

  // MARK: - Writing

  private mutating func append(_ bytes: ArraySlice<UInt8>, endsAtLineStart: Bool) {
    if !bytes.isEmpty {
      pending.append(contentsOf: bytes)
      self.endsAtLineStart = endsAtLineStart
    }
    flush()
  }

  /// Watches for the end of whoever reads standard output, which a guest that is silent would not
  /// show; the handler then asks ``readerIsGone()``.
  package static func watchReader(
    on loop: EventLoop, _ handler: @escaping @Sendable () -> Void
  ) -> EventLoop.Token {
    loop.watch(1, for: [], once: true, handler)
  }

  /// Nobody reads standard output any more.
  package mutating func readerIsGone() {
    failure = failure ?? OutputError(cause: .brokenPipe)
  }

  /// Writes what standard output takes now, or within a time.
  package mutating func flush(within time: Duration = .zero) {
    let deadline = SuspendingClock.now.advanced(by: time)
    var written = 0
    while written < pending.count, isOpen,
      SocketCalls.wait(1, for: .write, until: deadline)
    {
      let count = Files.writeSome(pending[written...].prefix(Self.piece), to: 1)
      if count < 0 { failure = OutputError(cause: .last("write")) } else { written += count }
    }
    if written > 0 {
      isAtLineStart =
        written == pending.count ? endsAtLineStart : Self.endsLine(pending[written - 1])
    }
    pending.removeFirst(written)
    if pending.isEmpty, leftOut > 0 {
      let count = leftOut
      leftOut = 0
      remark("\(count) bytes of output were not shown here ('qvm logs' has them)")
      if isEntered, live.modes != modes {
        pending = modes.restoration + live.comeback
        noteModes()
      }
    }
  }

  /// Shows a remark of qvm's own on standard error, on lines of its own; what others' words in it
  /// would do to a terminal is spelled out.
  package mutating func remark(_ text: String) {
    let (isCut, isSeen) = (isEntered && modes.cutsLines, Terminal.isTerminal(2))
    var bytes: [UInt8] = isAtLineStart ? [] : [0x0A]
    // A guest that has long lines cut means its own.
    if isCut, isSeen { bytes += TerminalModes.privateMode(7, true) }
    (isAtLineStart, endsAtLineStart) = (true, true)
    for line in ForeignText.lines(text).split(separator: "\n", omittingEmptySubsequences: false) {
      bytes.append(contentsOf: "qvm: \(line)\n".utf8)
    }
    if isCut, isSeen { bytes += TerminalModes.privateMode(7, false) }
    if isSeen { live.noteRemark() }
    guard SocketCalls.wait(2, for: .write, until: .now) else { return }
    _ = Files.writeSome(bytes[...], to: 2)
  }
}
