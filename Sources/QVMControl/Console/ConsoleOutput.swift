package import QMPClient

/// Where the guest's console and qvm's own remarks are shown.
///
/// Never blocks: what standard output doesn't take yet is kept, up to a limit, and what goes beyond
/// is left out and said so. Neither a slow reader nor one that stopped reading may hold up the guest
/// or make this process deaf to Ctrl-C.
package struct ConsoleOutput: Sendable {
  /// The most that is kept for standard output, in bytes.
  private static let mostPending = 1 << 20
  /// A pipe that is ready takes this much without blocking: PIPE_BUF.
  private static let piece = 4096

  /// Whether the last byte shown ended a line.
  private var isAtLineStart = true
  private var pending: [UInt8] = []
  private var leftOut = 0
  /// Why standard output takes no more; nil while it does.
  package private(set) var failure: OutputError?

  package init() {}

  /// Whether standard output still takes anything.
  package var isOpen: Bool { failure == nil }

  /// Whether something waits for standard output to be ready.
  package var isPending: Bool { isOpen && !pending.isEmpty }

  /// Shows what the guest wrote, byte by byte as it came.
  package mutating func show(_ bytes: [UInt8]) {
    guard isOpen else { return }
    let room = max(0, Self.mostPending - pending.count)
    pending.append(contentsOf: bytes.prefix(room))
    leftOut += max(0, bytes.count - room)
    flush()
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
    show(Array(bytes[start...]))
    return max(0, size - 2048) + bytes.count
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
    // A short escape sequence alone moves nothing: where the line begins stays as it was.
    if written > 0, pending[0] != 0x1B || written > 8 {
      let last = pending[written - 1]
      isAtLineStart = last == 0x0A || last == 0x0D
    }
    pending.removeFirst(written)
    if pending.isEmpty, leftOut > 0 {
      let count = leftOut
      leftOut = 0
      remark("\(count) bytes were not shown here; they are in the console's log")
    }
  }

  /// Shows a remark of qvm's own on standard error, on lines of its own.
  package mutating func remark(_ text: String) {
    var bytes: [UInt8] = isAtLineStart ? [] : [0x0A]
    isAtLineStart = true
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      bytes.append(contentsOf: "qvm: \(line)\n".utf8)
    }
    guard SocketCalls.wait(2, for: .write, until: .now) else { return }
    _ = Files.writeSome(bytes[...], to: 2)
  }
}
