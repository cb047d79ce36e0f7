import QVMControl

/// The source of completions for an argument or an option's value.
enum CompletionSource: Sendable {
  case none
  /// The shell's own completion of file names.
  case files
  /// The names of the instances.
  case instances
  case words(@Sendable () -> [String])
  /// Words that depend on the word at the cursor, and on the arguments before it.
  case typed(@Sendable (_ current: String, _ before: [String]) -> [String])

  static let operatingSystems = CompletionSource.words { OperatingSystem.allCases.map(\.rawValue) }
  static let platforms = CompletionSource.words { Architecture.allCases.map(\.rawValue) }
}
