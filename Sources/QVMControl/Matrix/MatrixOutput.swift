package import QMPClient

/// Writes lines of several guests to standard output and standard error, whole lines at a time.
///
/// A stream whose reader is slow holds up those who write to it, and not the loop.
package struct MatrixOutput: Sendable {
  /// How much a ready pipe takes without blocking: PIPE_BUF.
  private static let piece = 4096

  private let loop: EventLoop
  /// Holds one element while no line is being written. Both streams have one turn: they may be one
  /// terminal.
  private let turn = Mailbox<Void>()

  package init(on loop: EventLoop) {
    self.loop = loop
    turn.send(())
  }

  /// Writes lines.
  ///
  /// - Throws: ``OutputError``; `CancellationError`, perhaps in the middle of a line.
  package func write(_ lines: [UInt8], to descriptor: Int32) async throws {
    if lines.isEmpty { return }
    guard await turn.next() != nil else { throw CancellationError() }
    defer { turn.send(()) }
    var rest = lines[...]
    while !rest.isEmpty {
      let far = SuspendingClock.now.advanced(by: .seconds(1 << 30))
      guard try await loop.ready(descriptor, for: .write, until: far) else { continue }
      let count = Files.writeSome(rest.prefix(Self.piece), to: descriptor)
      if count < 0 { throw OutputError(cause: .last("write")) }
      rest = rest.dropFirst(count)
    }
  }
}

/// The tag before each line of a target.
package struct MatrixTag: Sendable {
  private static let colours = [36, 33, 35, 32, 34, 31]

  private let label: String
  private let colour: Int

  /// - Parameters:
  ///   - label: The target's.
  ///   - width: That of the longest label.
  ///   - index: The target's place, which decides about its colour.
  package init(_ label: String, width: Int, index: Int) {
    self.label = label + String(repeating: " ", count: max(0, width - label.count))
    colour = Self.colours[index % Self.colours.count]
  }

  /// The tag for a stream.
  ///
  /// A terminal gets it in colour, unless NO_COLOR is set.
  package func text(for descriptor: Int32) -> String {
    let isColoured =
      Terminal.isTerminal(descriptor) && Host.environment("NO_COLOR") == nil
      && Host.environment("TERM") != "dumb"
    return isColoured ? "\u{1B}[\(colour)m\(label)\u{1B}[0m | " : "\(label) | "
  }
}
