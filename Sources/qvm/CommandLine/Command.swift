import QVMControl

/// One command of the program. Its properties are what the user can say; `parameters` is the one
/// table that binds them to words, and parser, help and completion all read it.
protocol Command: Sendable {
  /// What the user types: one word, or two such as `config print-path`.
  static var name: String { get }
  /// Other names, which the list of commands does not show.
  static var aliases: [String] { get }
  /// A sentence for the list of commands, and the first of the command's own help.
  static var summary: String { get }
  /// What the command's own help says after the summary. A line that begins with a space is kept
  /// as it is; others are filled to the width of the page, with an empty line between paragraphs.
  static var discussion: String? { get }
  /// Read only for the command that runs, is asked about or is completed.
  static var parameters: [Parameter<Self>] { get }

  /// The command with every property at its default.
  init()

  func run() throws -> ExitStatus

  /// What to say of an argument that is missing, when the others have been read; nil for nothing.
  func advice(missing placeholder: String) -> String?
}

extension Command {
  static var aliases: [String] { [] }
  static var discussion: String? { nil }
  static var parameters: [Parameter<Self>] { [] }

  func advice(missing placeholder: String) -> String? { nil }

  /// What help and completion need of `parameters`, whatever the command's type.
  static var rows: [ParameterRow] { parameters.map(\.row) }
}
