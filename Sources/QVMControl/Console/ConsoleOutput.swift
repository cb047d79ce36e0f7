package import QMPClient

/// Shows the guest's console and qvm's own remarks.
///
/// Never blocks. Bytes that standard output doesn't take yet are queued up to a limit. Bytes beyond
/// it are left out, and a remark says so. A reader that is slow or has stopped holds up neither the
/// guest nor this process's handling of Ctrl-C.
///
/// While the session has the terminal (``enter(passesKeys:)``), the terminal gets the output of
/// ``LiveConsole``. Before and after, and for past output, it gets only text (``PlainConsole``). If
/// standard output is not a terminal, it gets every byte unchanged.
package struct ConsoleOutput: Sendable {
  /// How much is queued for standard output at most, in bytes.
  private static let mostPending = 1 << 20
  /// How much a ready pipe takes without blocking: PIPE_BUF.
  private static let piece = 4096
  /// How long to wait for the terminal's answers to the guest's queries.
  private static let answerTime = Duration.milliseconds(300)
  /// How many of the guest's queries may be unanswered at most. A guest that sends queries without
  /// end must not fill the terminal's input after the session.
  private static let mostQuestions = 32

  private let isTerminal = Terminal.isTerminal(1)
  private var live = LiveConsole()
  private var plain = PlainConsole()
  private var answers = TerminalAnswers()
  /// Whether the session has the terminal.
  private var isEntered = false
  /// Whether the terminal's answers reach the guest, as typed keys do.
  private var passesKeys = false
  /// The terminal's modes after all pending bytes are written.
  private var modes = TerminalModes()
  /// Whether the last written byte ended a line, and whether the last pending one does.
  private var (isAtLineStart, endsAtLineStart) = (true, true)
  private var pending: [UInt8] = []
  private var leftOut = 0
  /// Why standard output takes no more bytes; nil while it does.
  package private(set) var failure: OutputError?
  /// Called before each remark, to remove what would stand in its way on the terminal.
  var beforeRemark: @Sendable () -> Void = {}

  package init() {}

  /// Whether standard output still takes bytes.
  package var isOpen: Bool { failure == nil }

  /// Whether bytes are queued until standard output is ready.
  package var isPending: Bool { isOpen && !pending.isEmpty }

  // MARK: - The console

  /// Shows output of the guest.
  ///
  /// - Parameters:
  ///   - bytes: The guest's bytes, unchanged.
  ///   - isPast: Whether this is past output: the guest waits for no answer to it any more.
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
      // All or nothing, so that no sequence is cut.
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

  /// Shows the last screenful of a console's log, as context.
  ///
  /// - Parameters:
  ///   - log: The path.
  ///   - offset: Where the current boot begins in it, in bytes.
  /// - Returns: The size of the log, in bytes.
  @discardableResult
  package mutating func showTail(of log: String, from offset: Int) -> Int {
    let size = Files.information(log)?.size ?? 0
    let begin = max(offset, size - 2048)
    let bytes = (try? Files.read(log, from: begin, limit: .max)) ?? []
    // Begin at the start of a line.
    let start = begin > offset ? bytes.firstIndex(of: 0x0A).map { $0 + 1 } ?? 0 : 0
    if isTerminal { showText(Array(bytes[start...])) } else { show(Array(bytes[start...])) }
    return begin + bytes.count
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

  /// Gives the terminal to the session, and sets the modes that the guest has set.
  ///
  /// - Parameter passesKeys: Whether typed keys go to the guest.
  package mutating func enter(passesKeys: Bool) {
    self.passesKeys = passesKeys
    guard isTerminal, !isEntered else { return }
    isEntered = true
    live.noteRemark()
    append(live.comeback[...], endsAtLineStart: endsAtLineStart)
    noteModes()
  }

  /// Gives the terminal up, and restores the modes that the guest has changed.
  ///
  /// Reads the terminal's outstanding answers to the guest, so that they don't appear at the
  /// shell's prompt. Keys that are typed at this moment are lost.
  package mutating func leave() {
    guard isEntered else { return }
    let bytes = live.farewell
    // The pending bytes would change the modes again.
    if isPending { flush(within: .milliseconds(100)) }
    if isPending { pending = modes.restoration }
    append(
      bytes[...],
      endsAtLineStart: bytes.last == 0x0A || endsAtLineStart && !live.modes.isAlternate)
    isEntered = false
    TerminalRestorer.disarmScreen()
    let deadline = SuspendingClock.now.advanced(by: Self.answerTime)
    // A background process must not read from the terminal: that would stop it.
    while passesKeys, answers.count < live.questions, Terminal.isForeground(0),
      SocketCalls.wait(0, for: .read, until: deadline), let typed = Files.readSome(0)
    { answers.read(typed) }
    passesKeys = false
  }

  /// Notes typed bytes, before they go to the guest.
  package mutating func noteTyped(_ bytes: [UInt8]) {
    if answers.count < live.questions { answers.read(bytes) }
  }

  /// Prepares to restore the terminal if this process crashes.
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

  /// Watches for the exit of the process that reads standard output, which would not show while the
  /// guest is silent. The handler then calls ``readerIsGone()``.
  package static func watchReader(
    on loop: EventLoop, _ handler: @escaping @Sendable () -> Void
  ) -> EventLoop.Token {
    loop.watch(1, for: [], once: true, handler)
  }

  /// Notes that no process reads standard output any more.
  package mutating func readerIsGone() {
    failure = failure ?? OutputError(cause: .brokenPipe)
  }

  /// Writes as much as standard output takes now, or within a time.
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

  /// Shows a remark of qvm's on standard error, on lines of its own. Control characters in quoted
  /// text are escaped.
  package mutating func remark(_ text: String) {
    beforeRemark()
    let (isCut, isSeen) = (isEntered && modes.cutsLines, Terminal.isTerminal(2))
    var bytes: [UInt8] = isAtLineStart ? [] : [0x0A]
    // If the guest has switched line wrapping off, that is only for its own lines.
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
