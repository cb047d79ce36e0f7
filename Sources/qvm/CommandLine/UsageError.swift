import QVMControl

/// A command line that cannot be followed.
enum UsageError: UserFacingError, Equatable {
  case unknownCommand(String, closest: String?)
  /// The first word of two-word commands, alone.
  case incompleteCommand(String, commands: [String])
  case unknownOption(String, closest: String?)
  /// A command or an option of other programs that qvm does without; `instead` tells what to do.
  case absentCommand(String, instead: String)
  case absentOption(String, instead: String)
  /// A word in the place of the operating system.
  case unknownSystem(String, advice: String)
  /// An option of a command before that command.
  case optionBeforeCommand(String, command: String)
  case missingValue(option: String, placeholder: String)
  /// `--flag=value`.
  case unexpectedValue(option: String, value: String)
  case badValue(parameter: String, word: String, expected: String)
  /// `advice` tells what to type, if more is known than the placeholder.
  case missingArgument(placeholder: String, advice: String? = nil)
  /// `takesTrailing`: whether the command takes arguments after `--`.
  case extraArgument(String, takesTrailing: Bool)
  /// An argument too many, of which the command knows what was meant.
  case misplacedArgument(String, advice: String)
  /// Arguments after `--` for a command that runs none in the guest.
  case takesNoCommand(String, advice: String)
  /// There is nothing after `--`, or only empty arguments.
  case emptyTrailing(placeholder: String)
  /// Something that works for one instance only; `advice` tells what to do for several.
  case oneNameOnly(String, advice: String)
  /// Two options that cannot be combined.
  case contradiction(String, String)
  /// A command for the guest of a detached start.
  case detachedCommand

  /// What a shell makes the names of all instances of.
  static let allNames = "$(qvm list -q)"

  var message: String {
    switch self {
    case .unknownCommand(let word, _), .absentCommand(let word, _): "unknown command '\(word)'"
    case .incompleteCommand(let word, _): "'\(word)' needs a subcommand"
    case .unknownOption(let word, _), .absentOption(let word, _): "unknown option '\(word)'"
    case .optionBeforeCommand(let option, let command):
      "\(option) is an option of '\(command)', and belongs after it"
    case .missingValue(let option, let placeholder):
      "\(option) needs a value: \(option) <\(placeholder)>"
    case .unexpectedValue(let option, let value): "\(option) takes no value, but got '\(value)'"
    case .badValue(let parameter, let word, let expected):
      "\(parameter) must be \(expected), not '\(word)'"
    case .missingArgument(let placeholder, _): "<\(placeholder)> is missing"
    case .unknownSystem(let word, _): "'\(word)' is not an operating system that qvm knows"
    case .takesNoCommand(let command, _): "'\(command)' takes no command for the guest"
    case .extraArgument(let word, _), .misplacedArgument(let word, _):
      "unexpected argument '\(word)'"
    case .emptyTrailing(let placeholder): "<\(placeholder)> after '--' is empty"
    case .oneNameOnly(let what, _): "\(what) accepts only one name"
    case .contradiction(let one, let other): "\(one) cannot be combined with \(other)"
    case .detachedCommand: "--detach cannot be combined with '-- COMMAND'"
    }
  }

  var advice: String? {
    switch self {
    case .unknownOption(_, Self.allNames?):
      "'\(Self.allNames)' stands for the names of all instances."
    case .unknownCommand(_, let closest?), .unknownOption(_, let closest?): "Try '\(closest)'."
    case .absentCommand(_, let instead), .absentOption(_, let instead): instead
    case .unknownSystem(_, let advice), .misplacedArgument(_, let advice),
      .takesNoCommand(_, let advice):
      advice
    case .incompleteCommand(_, let commands):
      "Try \(commands.map { "'\($0)'" }.joined(separator: " or "))."
    case .extraArgument(_, takesTrailing: true): "Put a command for the guest after '--'."
    case .optionBeforeCommand(let option, let command): "Try '\(command) \(option) …'."
    case .oneNameOnly(_, let advice): advice
    case .missingArgument("NAME", nil): "'qvm list' shows all instances."
    case .missingArgument(_, let advice): advice
    case .detachedCommand:
      """
      Leave out --detach to run COMMAND and shut down. To keep the VM, boot it without COMMAND, and \
      then run 'qvm exec NAME COMMAND', which waits until the guest is ready.
      """
    case .emptyTrailing: "Add a command, or leave out '--'."
    default: nil
    }
  }

  var exitStatus: ExitStatus { .usage }
}
