import QVMControl

/// One command of the program.
///
/// Its properties hold the values of options and arguments. `parameters` is the one table that binds
/// them to the command line; parser, help and completion all use it.
protocol Command: Sendable {
  /// The command as the user types it: one word, or two such as `config print-path`.
  static var name: String { get }
  /// Other names, which the list of commands does not show.
  static var aliases: [String] { get }
  /// A sentence for the list of commands. The command's own help begins with it, too.
  static var summary: String { get }
  /// The text after the summary in the command's own help. A line that begins with a space is kept
  /// unchanged. Others are filled to the width of the page, with an empty line between paragraphs.
  static var discussion: String? { get }
  /// Read only if the command is run, its help is printed, or it is completed.
  static var parameters: [Parameter<Self>] { get }

  /// The command with every property at its default.
  init()

  func run() throws -> ExitStatus

  /// The advice if an argument is missing and the others have been read; nil for none.
  func advice(missing placeholder: String) -> String?

  /// The advice for an argument too many; nil for none.
  func advice(extra word: String) -> String?

  /// The advice for arguments after `--`, if the command takes none there but might seem to run a
  /// command in the guest; nil if they are plain arguments.
  func advice(trailing words: [String]) -> String?
}

extension Command {
  static var aliases: [String] { [] }
  static var discussion: String? { nil }
  static var parameters: [Parameter<Self>] { [] }

  func advice(missing placeholder: String) -> String? { nil }
  func advice(extra word: String) -> String? { nil }
  func advice(trailing words: [String]) -> String? { nil }

  /// The part of `parameters` that does not depend on the command's type, for help and completion.
  static var rows: [ParameterRow] { parameters.map(\.row) }
}
