import QMPClient
import QVMControl

/// Results go to standard output, everything else to standard error.
///
/// What others wrote does nothing to a terminal (``ForeignText``): a text for standard error is made
/// harmless, and one for standard output where that is a terminal; a pipe gets a path as it is. JSON
/// is harmless by itself.
enum Output {
  /// Writes a result.
  ///
  /// - Throws: ``OutputError`` where standard output takes no more: whoever reads the result must
  ///   not take a part of it for the whole.
  static func print(_ text: String) throws(OutputError) {
    try print(Array((isTerminal ? ForeignText.lines(text) : text).utf8))
  }

  /// Whether standard output is a terminal.
  static var isTerminal: Bool { Terminal.isTerminal(1) }

  /// The width of the terminal on standard output, in columns; nil where it is none, or doesn't say.
  static var width: Int? { Terminal.width(of: 1) }

  /// Writes bytes as they are.
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

  /// Writes a text for people, such as a table, where it is no loss that nobody reads the rest:
  /// `qvm list | head` ends well.
  ///
  /// - Throws: ``OutputError`` where standard output takes no more for another reason.
  static func show(_ text: String) throws(OutputError) {
    do throws(OutputError) { try print(text) } catch {
      if error.cause != .brokenPipe { throw error }
    }
  }

  /// Writes bytes for people, as a text for them.
  static func show(_ bytes: [UInt8]) throws(OutputError) {
    do throws(OutputError) { try print(bytes) } catch {
      if error.cause != .brokenPipe { throw error }
    }
  }

  /// Writes one JSON document.
  static func print(_ json: JSONObject) throws(OutputError) {
    try print(JSONValue.object(json).bytes + [0x0A])
  }

  /// Writes to standard error; nothing can be done where that fails.
  static func note(_ text: String) { draw(ForeignText.lines(text)) }

  /// Writes to standard error what moves the cursor and redraws lines, as it is: others' words in it
  /// are harmless already.
  static func draw(_ text: String) {
    _ = Files.writeSome(Array(text.utf8)[...], to: 2)
  }

  /// Says what went wrong, and what to do; `suffix` comes behind the first.
  static func report(_ failure: any UserFacingError, after suffix: String = "") {
    note("qvm: \(failure.message)\(suffix)\n")
    if let advice = failure.advice { note("     \(advice)\n") }
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
    }
  }
}
