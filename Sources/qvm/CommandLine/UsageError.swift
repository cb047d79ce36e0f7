import QVMControl

/// What is wrong with the words on the command line.
enum UsageError: UserFacingError, Equatable {
  case unknownCommand(String, closest: String?)
  /// The first word of two-word commands, alone.
  case incompleteCommand(String, commands: [String])
  case unknownOption(String, closest: String?)
  case missingValue(option: String, placeholder: String)
  /// `--flag=value`.
  case unexpectedValue(option: String, value: String)
  case badValue(parameter: String, word: String, expected: String)
  /// `advice` says what to type, where more is known than the placeholder.
  case missingArgument(placeholder: String, advice: String? = nil)
  /// `takesTrailing`: whether the command takes words after `--`.
  case extraArgument(String, takesTrailing: Bool)
  /// Nothing, or only empty words, after `--`.
  case emptyTrailing(placeholder: String)
  /// What one instance alone can be asked for, in this way; `advice` says what to do for several.
  case oneNameOnly(String, advice: String)
  /// Two things that can't both be had.
  case contradiction(String, String)

  var message: String {
    switch self {
    case .unknownCommand(let word, _): "unknown command '\(word)'"
    case .incompleteCommand(let word, _): "'\(word)' is only the first word of a command"
    case .unknownOption(let word, _): "unknown option '\(word)'"
    case .missingValue(let option, let placeholder): "\(option) needs a value, <\(placeholder)>"
    case .unexpectedValue(let option, let value): "\(option) takes no value, but got '\(value)'"
    case .badValue(let parameter, let word, let expected):
      "\(parameter) must be \(expected), not '\(word)'"
    case .missingArgument(let placeholder, _): "<\(placeholder)> is missing"
    case .extraArgument(let word, _): "one argument too many: '\(word)'"
    case .emptyTrailing(let placeholder): "the <\(placeholder)> after '--' is empty"
    case .oneNameOnly(let what, _): "\(what) takes one name only"
    case .contradiction(let one, let other): "\(one) and \(other) exclude each other"
    }
  }

  var advice: String? {
    switch self {
    case .unknownCommand(_, let closest?), .unknownOption(_, let closest?): "Try '\(closest)'."
    case .incompleteCommand(_, let commands):
      "Try \(commands.map { "'\($0)'" }.joined(separator: " or "))."
    case .extraArgument(_, takesTrailing: true): "Put a command for the guest after '--'."
    case .oneNameOnly(_, let advice): advice
    case .missingArgument(_, let advice): advice
    case .emptyTrailing: "Leave '--' out to do without."
    default: nil
    }
  }

  var exitStatus: ExitStatus { .usage }
}
