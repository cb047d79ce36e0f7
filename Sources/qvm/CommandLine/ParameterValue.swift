/// A type that can be read from one word of the command line.
protocol ParameterValue: Sendable {
  init?(word: String)

  /// What the word must be, for an error: `a whole number`.
  static var expectation: String { get }

  static var candidates: CompletionSource { get }
}

extension ParameterValue {
  static var candidates: CompletionSource { .none }
}

extension String: ParameterValue {
  init?(word: String) { self = word }
  static var expectation: String { "a word" }
}

extension Int: ParameterValue {
  init?(word: String) { self.init(word) }
  static var expectation: String { "a whole number" }
}

/// The default for enumerations with a word for each case.
extension ParameterValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  init?(word: String) { self.init(rawValue: word) }

  static var expectation: String {
    "one of \(allCases.map(\.rawValue).joined(separator: ", "))"
  }

  static var candidates: CompletionSource {
    .words { allCases.map(\.rawValue) }
  }
}
