/// The part of a parameter that does not depend on the command's type.
struct ParameterRow: Sendable {
  enum Kind: Sendable, Equatable {
    case argument(Count)
    /// Takes a value.
    case option
    case flag
    /// The rest of the line, unchanged: everything after `--`.
    case trailing
    /// The rest of the line, unchanged: everything from the first word after the arguments on, with or
    /// without a `--` before it, as ssh takes its command.
    case rest
  }

  /// How many words an argument takes.
  enum Count: Sendable {
    case one, optional, oneOrMore, any

    var repeats: Bool { self == .oneOrMore || self == .any }
    var isRequired: Bool { self == .one || self == .oneOrMore }
  }

  let kind: Kind
  /// The spellings, the usual one first: `["--detach", "-d"]`; empty for arguments.
  let spellings: [String]
  /// The name of the value in help, without brackets; empty for flags.
  let placeholder: String
  let help: String
  let candidates: CompletionSource
  /// The value of an option that is given without one; such an option takes only whole numbers. Nil if
  /// the option needs a value.
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

  /// Whether this is the row that takes the rest of the line.
  var takesRest: Bool { kind == .trailing || kind == .rest }

  /// How many words an argument takes; nil for options and the arguments after `--`.
  var count: Count? {
    if case .argument(let count) = kind { count } else { nil }
  }

  /// The parameter in errors: `--name` or `<NAME>`.
  var title: String { spellings.first ?? "<\(placeholder)>" }

  /// Reads a word as a value of the property.
  func value<Value: ParameterValue>(_ word: String) throws(UsageError) -> Value {
    guard let value = Value(word: word) else {
      throw .badValue(parameter: title, word: word, expected: Value.expectation)
    }
    return value
  }
}
