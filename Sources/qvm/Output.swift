import QMPClient
import QVMControl

/// Writes results to standard output and everything else to standard error.
///
/// Text from other sources must not control the terminal (``ForeignText``). Text for standard error is
/// always made harmless; text for standard output only if that is a terminal, so that a pipe gets
/// paths unchanged. JSON is harmless by itself.
enum Output {
  /// Writes a result.
  ///
  /// - Throws: ``OutputError`` if standard output cannot be written: the reader of the result must not
  ///   take a part of it for the whole.
  static func print(_ text: String) throws(OutputError) {
    try print(Array((isTerminal ? ForeignText.lines(text) : text).utf8))
  }

  /// Whether standard output is a terminal.
  static var isTerminal: Bool { Terminal.isTerminal(1) }

  /// The width of the terminal on standard output, in columns; nil if it is not a terminal, or its width
  /// is unknown.
  static var width: Int? { Terminal.width(of: 1) }

  /// Writes bytes unchanged.
  ///
  /// - Throws: ``OutputError``, as for a text.
  static func print(_ bytes: [UInt8]) throws(OutputError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Files.writeSome(rest, to: 1)
      if count < 0 { throw OutputError(cause: .last("write")) }
      rest = rest.dropFirst(count)
    }
  }

  /// Writes text for people, such as a table. It is no error if the reader closes the pipe early:
  /// `qvm list | head` succeeds.
  ///
  /// - Throws: ``OutputError`` if standard output cannot be written for another reason.
  static func show(_ text: String) throws(OutputError) {
    do throws(OutputError) { try print(text) } catch {
      if error.cause != .brokenPipe { throw error }
    }
  }

  /// Writes bytes for people, as ``show(_:)`` does with text.
  static func show(_ bytes: [UInt8]) throws(OutputError) {
    do throws(OutputError) { try print(bytes) } catch {
      if error.cause != .brokenPipe { throw error }
    }
  }

  /// Writes one JSON document.
  static func print(_ json: JSONObject) throws(OutputError) {
    try print(JSONValue.object(json).bytes + [0x0A])
  }

  /// Writes to standard error. A failure is ignored: there is no place to report it.
  static func note(_ text: String) { draw(ForeignText.lines(text)) }

  /// Writes to standard error unchanged, such as sequences that move the cursor. Text from other
  /// sources in it must be harmless already.
  static func draw(_ text: String) {
    _ = Files.writeSome(Array(text.utf8)[...], to: 2)
  }

  /// Reports what went wrong and what to do. `prefix` precedes the message, and `suffix` follows it.
  static func report(
    _ failure: any UserFacingError, before prefix: String = "", after suffix: String = ""
  ) {
    note("qvm: \(prefix)\(failure.message)\(suffix)\n")
    if let advice = NameHint.advice(for: failure) ?? SystemHint.advice(for: failure)
      ?? failure.advice
    {
      note("     \(advice)\n")
    }
    if let source = DownloadHint.source(of: failure) { note("     \(source)\n") }
  }

  /// Reports a usage error.
  ///
  /// The whole help comes before the error: after it the help would scroll the error away.
  static func report(_ error: UsageError, _ guidance: UsageGuidance) {
    switch guidance {
    case .command(let usage, let help):
      report(error)
      note("     Usage: \(usage)\n     See '\(help)'.\n")
    case .program(let help):
      draw("\(help)\n")
      report(error)
      if error.advice == nil {
        note("     See the help above; 'qvm <command> --help' tells more about one command.\n")
      }
    }
  }
}
