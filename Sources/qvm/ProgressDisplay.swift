import QMPClient
import QVMControl
import Synchronization

/// What a line of a progress display is about.
enum ProgressKind: Sendable {
  case download, copy

  /// Such as `downloading`.
  var doing: String { self == .download ? "downloading" : "copying" }
  /// Such as `downloaded`.
  var done: String { self == .download ? "downloaded" : "copied" }
  /// Such as `download`.
  var noun: String { self == .download ? "download" : "copy" }
}

/// Shows downloads and copies on standard error.
///
/// On a terminal each download has a line that is redrawn as it proceeds. Elsewhere it has a line when
/// it begins and another when it ends.
final class ProgressDisplay: Sendable {
  private static let standardError: Int32 = 2
  private static let redrawInterval = Duration.milliseconds(100)

  private let kind: ProgressKind
  private let isLive: Bool
  private let width: @Sendable () -> Int
  private let write: @Sendable (String) -> Void
  // Progress is reported on the loop's thread, notices come from any thread.
  private let state = Mutex(State())

  private struct State {
    var lines: [ProgressLine] = []
    /// The width of each line that shows a download now, in columns.
    var drawn: [Int] = []
    var drawnAt: SuspendingClock.Instant?
  }

  /// Creates a display.
  ///
  /// - Parameters:
  ///   - kind: What the lines are about.
  ///   - isLive: Whether lines can be redrawn.
  ///   - width: The columns of a line.
  ///   - write: Writes to standard error.
  init(
    of kind: ProgressKind = .download, isLive: Bool = Terminal.isTerminal(standardError),
    width: @escaping @Sendable () -> Int = { Terminal.width(of: standardError) ?? 80 },
    write: @escaping @Sendable (String) -> Void = { Output.draw($0) }
  ) {
    self.kind = kind
    self.isLive = isLive
    self.width = width
    self.write = write
  }

  /// The reporter that downloads get.
  var reporter: ProgressReporter {
    ProgressReporter { [self] label, event in take(event, of: label, at: .now) }
  }

  /// Writes a sentence above the lines of the downloads.
  func notice(_ sentence: String) {
    state.withLock { state in
      let text = ForeignText.lines(sentence)
      write(erasing(&state) + "qvm: \(text)\n" + drawing(&state, at: .now))
    }
  }

  func take(_ event: ProgressReporter.Event, of label: String, at now: SuspendingClock.Instant) {
    // The name may come from a release.
    let label = ForeignText.line(label)
    state.withLock { state in
      switch event {
      case .began(let done, let total):
        let line = ProgressLine(kind, label: label, done: done, total: total, at: now)
        state.lines.append(line)
        if !isLive { return write("\(line.beginning)\n") }
        redraw(&state, at: now)
      case .followed(let done, let total):
        // It has been reported already that another qvm downloads it.
        state.lines.append(
          ProgressLine(kind, label: label, done: done, total: total, isFollowed: true, at: now))
        redraw(&state, at: now)
      case .advanced(let bytes):
        guard let index = state.lines.firstIndex(where: { $0.label == label }) else { return }
        state.lines[index].advance(to: bytes, at: now)
        if let last = state.drawnAt, last.duration(to: now) < Self.redrawInterval { return }
        redraw(&state, at: now)
      case .ended(let complete):
        guard let index = state.lines.firstIndex(where: { $0.label == label }) else { return }
        let line = state.lines.remove(at: index)
        let ending = line.ending(complete: complete, at: now)
        write(erasing(&state) + "\(ending)\n" + drawing(&state, at: now))
      }
    }
  }

  private func redraw(_ state: inout State, at now: SuspendingClock.Instant) {
    if isLive { write(erasing(&state) + drawing(&state, at: now)) }
  }

  /// The sequence that removes the lines of the downloads from the terminal.
  private func erasing(_ state: inout State) -> String {
    if state.drawn.isEmpty { return "" }
    defer { state.drawn = [] }
    // If the window has become narrower since, a line takes several rows.
    let columns = max(width(), 1)
    let rows = state.drawn.reduce(0) { $0 + max(($1 + columns - 1) / columns, 1) }
    // Moves up to the first line and clears everything below.
    return "\u{1B}[\(rows)A\r\u{1B}[J"
  }

  private func drawing(_ state: inout State, at now: SuspendingClock.Instant) -> String {
    if !isLive || state.lines.isEmpty { return "" }
    state.drawnAt = now
    // The last column stays empty: a terminal may wrap when that is written.
    let columns = max(width() - 1, 1)
    let texts = state.lines.map { $0.text(columns: columns) }
    state.drawn = texts.map(\.count)
    return texts.map { "\($0)\n" }.joined()
  }
}

/// One download or copy as a line of text.
struct ProgressLine: Sendable {
  private let kind: ProgressKind
  let label: String
  private(set) var done: Int
  let total: Int?
  /// Whether another qvm downloads it.
  private let isFollowed: Bool
  private var began: (bytes: Int, time: SuspendingClock.Instant)
  private var rate = TransferRate()

  init(
    _ kind: ProgressKind = .download, label: String, done: Int, total: Int?,
    isFollowed: Bool = false, at time: SuspendingClock.Instant
  ) {
    self.kind = kind
    self.label = label
    self.isFollowed = isFollowed
    self.done = done
    self.total = total
    began = (done, time)
    rate.note(done, at: time)
  }

  mutating func advance(to bytes: Int, at time: SuspendingClock.Instant) {
    done = bytes
    // The download started over.
    if bytes < began.bytes { began.bytes = bytes }
    rate.note(bytes, at: time)
  }

  /// The line for a number of columns. If they are too few, the least important parts are left out.
  func text(columns: Int) -> String {
    var parts = [label]
    if let total, total > 0 {
      parts.append("\(min(100, done * 100 / total))%")
      parts.append("\(ByteCount.text(done)) of \(ByteCount.text(total))")
    } else {
      parts.append(ByteCount.text(done))
    }
    if let speed = rate.bytesPerSecond { parts.append("\(ByteCount.text(speed))/s") }
    if let total, let seconds = rate.secondsLeft(for: max(0, total - done)) {
      parts.append("\(Self.time(seconds)) left")
    }
    while parts.count > 2, parts.joined(separator: "  ").count > columns { parts.removeLast() }
    let line = parts.joined(separator: "  ")
    if line.count <= columns { return line }
    // The progress matters more than the end of the name.
    let share = parts[1]
    let room = columns - share.count - 2
    return room < 4 ? String(share.prefix(columns)) : "\(label.prefix(room - 1))…  \(share)"
  }

  /// The line for the beginning of a download, if lines are not redrawn.
  var beginning: String {
    let size = total.map { " (\(ByteCount.text($0)))" } ?? ""
    return done > 0
      ? "\(kind.doing) \(label)\(size), resuming after \(ByteCount.text(done))"
      : "\(kind.doing) \(label)\(size)"
  }

  /// The line for the end of a download.
  func ending(complete: Bool, at time: SuspendingClock.Instant) -> String {
    if !complete { return "\(kind.noun) of \(label) stopped after \(ByteCount.text(done))" }
    if isFollowed { return "\(label) downloaded by another qvm, \(ByteCount.text(done))" }
    if began.bytes > 0, began.bytes == done {
      return "\(label) \(kind.done), \(ByteCount.text(done))"
    }
    let part =
      began.bytes > 0 ? "the last \(ByteCount.text(done - began.bytes)) of " : ""
    let seconds = Int(began.time.duration(to: time) / .seconds(1))
    return "\(label) \(kind.done), \(part)\(ByteCount.text(done)) in \(Self.time(seconds))"
  }

  /// As `0:07`, `12:30` or `1:02:03`.
  static func time(_ seconds: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
    return hours > 0
      ? "\(hours):\(two(minutes)):\(two(seconds % 60))" : "\(minutes):\(two(seconds % 60))"
  }
}

extension ReleaseClient {
  /// A client for the mirror that the environment names. Its downloads are shown on standard error,
  /// unless it is quiet, and reported to the service manager if there is one.
  static func forTerminal(
    _ cache: Cache, _ notifier: ServiceNotifier? = nil, isQuiet: Bool = false, on loop: EventLoop
  ) throws -> ReleaseClient {
    let display = ProgressDisplay()
    let shown = isQuiet ? .silent : display.reporter
    let reporter = notifier.map { notifier in
      ProgressReporter { label, event in
        shown(label, event)
        notifier.take(label, event)
      }
    }
    return ReleaseClient(
      try ReleaseSource.fromEnvironment(), cache: cache, progress: reporter ?? shown,
      notify: { if !isQuiet { display.notice($0) } }, on: loop)
  }
}
