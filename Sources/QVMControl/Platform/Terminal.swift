#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The terminal on a descriptor, whose settings are put back as they were.
package struct Terminal: Sendable {
  package let descriptor: Int32
  private let original: termios

  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Remembers the settings of the terminal; nil where the descriptor is none.
  package init?(_ descriptor: Int32) {
    var settings = termios()
    guard isatty(descriptor) == 1, tcgetattr(descriptor, &settings) == 0 else { return nil }
    self.descriptor = descriptor
    original = settings
  }

  /// Hands each key to the program as it is typed and unechoed, but for Ctrl-C, Ctrl-\ and Ctrl-Z,
  /// which remain signals.
  ///
  /// Output processing stays on, so that messages of qvm itself look right; carriage returns are
  /// not turned into line feeds, since a serial console expects them as they are.
  ///
  /// - Parameters:
  ///   - signals: Whether those three remain signals; without, every key is passed on.
  ///   - escape: A key that is passed on in any case.
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

  /// Puts the settings back, unless the terminal is somebody else's by now.
  package func restore() {
    if isForeground {
      var settings = original
      tcsetattr(descriptor, TCSADRAIN, &settings)
    }
    TerminalRestorer.disarm()
  }

  /// The width in columns; nil where the terminal doesn't say.
  package static func width(of descriptor: Int32) -> Int? {
    size(of: descriptor).flatMap { $0.ws_col > 0 ? Int($0.ws_col) : nil }
  }

  /// The height in rows; nil where the terminal doesn't say.
  package static func height(of descriptor: Int32) -> Int? {
    size(of: descriptor).flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil }
  }

  private static func size(of descriptor: Int32) -> winsize? {
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? size : nil
  }

  /// Whether this process may read from and write to its terminal: it is not in the background.
  package var isForeground: Bool { Self.isForeground(descriptor) }

  static func isForeground(_ descriptor: Int32) -> Bool { tcgetpgrp(descriptor) == getpgrp() }
}
