import QMPClient
import QVMControl
import Synchronization

/// One line of the terminal on standard error that says how far a guest's boot is. It is redrawn in its
/// place, and removed before anything else is written.
final class BootLine: Sendable {
  private static let standardError: Int32 = 2
  private static let erasing = "\r\u{1B}[K"

  private let width: @Sendable () -> Int
  private let write: @Sendable (String) -> Void
  private let isDrawn = Mutex(false)

  /// - Parameters:
  ///   - width: The columns of the terminal.
  ///   - write: Writes to it.
  init(
    width: @escaping @Sendable () -> Int = { Terminal.width(of: standardError) ?? 80 },
    write: @escaping @Sendable (String) -> Void = { text in
      // A terminal that is stopped by Ctrl-S must not hold up the wait.
      if SocketCalls.wait(standardError, for: .write, until: .now) { Output.draw(text) }
    }
  ) {
    self.width = width
    self.write = write
  }

  /// A line for the user; nil if standard error is no terminal.
  static func forTerminal() -> BootLine? {
    Terminal.isTerminal(standardError) ? BootLine() : nil
  }

  func show(_ look: BootProgress.Look?) {
    isDrawn.withLock { isDrawn in
      guard let look else {
        if isDrawn { write(Self.erasing) }
        isDrawn = false
        return
      }
      // The last column stays empty: a terminal may wrap when that is written.
      write(Self.erasing + Self.text(look, columns: max(width() - 1, 1)))
      isDrawn = true
    }
  }

  /// As `qvm: box boots, 0:12  Starting sshd.`, cut to a number of columns.
  static func text(_ look: BootProgress.Look, columns: Int) -> String {
    let words = ForeignText.line(look.lastWords)
    let whole = "qvm: \(look.name) boots, \(ProgressLine.time(look.seconds))  \(words)"
    var (text, used) = ("", 0)
    for character in whole {
      // Characters of other scripts may be two columns wide.
      let width = character.isASCII ? 1 : 2
      if used + width > columns { break }
      text.append(character)
      used += width
    }
    return text
  }
}
