/// The part of a parameter that does not depend on the command's type.
struct ParameterRow: Sendable {
  enum Kind: Sendable, Equatable {
    case argument(Count)
    /// Takes a value.
    case option
    case flag
    /// Everything after `--`.
    case trailing
  }

  /// How many words an argument stands for.
  enum Count: Sendable {
    case one, optional, oneOrMore, any

    var repeats: Bool { self == .oneOrMore || self == .any }
    var isRequired: Bool { self == .one || self == .oneOrMore }
  }

  let kind: Kind
  /// What the user types, the usual spelling first: `["--detach", "-d"]`; empty for arguments.
  let spellings: [String]
  /// What stands for the value in help, without brackets; empty for flags.
  let placeholder: String
  let help: String
  let candidates: CompletionSource
  /// What an option means without a value, which is taken only where it is a whole number; nil for
  /// one that needs its value.
  let valueIfNone: String?

  init(
    _ kind: Kind, _ name: String? = nil, short: String? = nil, placeholder: String = "",
    _ help: String, _ candidates: CompletionSource = .none, valueIfNone: String? = nil
  ) {
    self.kind = kind
    spellings = [name, short].compactMap(\.self)
    self.placeholder = placeholder
    self.help = help
    self.candidates = candidates
    self.valueIfNone = valueIfNone
  }

  /// How many words an argument stands for; nil for options and the words after `--`.
  var count: Count? {
    if case .argument(let count) = kind { count } else { nil }
  }

  /// What errors call the parameter: `--name` or `<NAME>`.
  var title: String { spellings.first ?? "<\(placeholder)>" }

  /// Reads a word as a value of the property.
  func value<Value: ParameterValue>(_ word: String) throws(UsageError) -> Value {
    guard let value = Value(word: word) else {
      throw .badValue(parameter: title, word: word, expected: Value.expectation)
    }
    return value
  }
}
