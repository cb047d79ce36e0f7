#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The terminal of a descriptor, and its original settings.
package struct Terminal: Sendable {
  package let descriptor: Int32
  private let original: termios

  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Remembers the terminal's settings; nil if the descriptor isn't a terminal.
  package init?(_ descriptor: Int32) {
    var settings = termios()
    guard isatty(descriptor) == 1, tcgetattr(descriptor, &settings) == 0 else { return nil }
    self.descriptor = descriptor
    original = settings
  }

  /// Delivers each key at once and without echo. Ctrl-C, Ctrl-\ and Ctrl-Z remain signals.
  ///
  /// Output processing stays on for qvm's own messages. Carriage returns are not turned into line
  /// feeds, because a serial console expects them.
  ///
  /// - Parameters:
  ///   - signals: Whether those three keys remain signals. If not, every key is delivered.
  ///   - escape: A key that is delivered in any case.
  package func passKeys(signals: Bool = true, escape: EscapeKey = .usual) {
    var settings = original
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ECHONL | IEXTEN)
    if signals {
      settings.c_lflag |= tcflag_t(ISIG)
    } else {
      settings.c_lflag &= ~tcflag_t(ISIG)
    }
    settings.c_iflag &= ~tcflag_t(ICRNL | INLCR | IGNCR | IXON | ISTRIP)
    withUnsafeMutableBytes(of: &settings.c_cc) { control in
      control[Int(VMIN)] = 1
      control[Int(VTIME)] = 0
      #if canImport(Darwin)
        let (keys, disabled) = ([VINTR, VQUIT, VSUSP, VDSUSP], UInt8(0xFF))
      #else
        let (keys, disabled) = ([VINTR, VQUIT, VSUSP], UInt8(0))
      #endif
      for key in keys where control[Int(key)] == escape.byte { control[Int(key)] = disabled }
    }
    TerminalRestorer.arm(descriptor, original)
    tcsetattr(descriptor, TCSADRAIN, &settings)
  }

  /// Restores the settings, unless another process is in the foreground by now.
  package func restore() {
    if isForeground {
      var settings = original
      tcsetattr(descriptor, TCSADRAIN, &settings)
    }
    TerminalRestorer.disarm()
  }

  /// The width in columns; nil if unknown.
  package static func width(of descriptor: Int32) -> Int? {
    size(of: descriptor).flatMap { $0.ws_col > 0 ? Int($0.ws_col) : nil }
  }

  /// The height in rows; nil if unknown.
  package static func height(of descriptor: Int32) -> Int? {
    size(of: descriptor).flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil }
  }

  private static func size(of descriptor: Int32) -> winsize? {
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? size : nil
  }

  /// Whether this process is in the foreground, so that it may use the terminal.
  package var isForeground: Bool { Self.isForeground(descriptor) }

  static func isForeground(_ descriptor: Int32) -> Bool { tcgetpgrp(descriptor) == getpgrp() }
}
