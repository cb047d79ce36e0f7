/// What a word on the command line can be read as.
protocol ParameterValue: Sendable {
  init?(word: String)

  /// What a word has to be, for an error: `a whole number`.
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

/// An enumeration with a word for each case gets the rest for nothing.
extension ParameterValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  init?(word: String) { self.init(rawValue: word) }

  static var expectation: String {
    "one of \(allCases.map(\.rawValue).joined(separator: ", "))"
  }

  static var candidates: CompletionSource {
    .words { allCases.map(\.rawValue) }
  }
}
