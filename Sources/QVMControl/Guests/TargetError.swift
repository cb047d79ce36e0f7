/// Arguments that do not name a guest that can run.
package enum TargetError: UserFacingError, Equatable {
  case unknownOperatingSystem(String)
  /// The version where the operating system belongs, and the other way round.
  case swapped(OperatingSystem, version: String)
  case badVersion(String)
  case unknownPlatform(String)
  case platformNotAvailable(OperatingSystem, Architecture)
  case noSuchDemo(version: String)
  /// The version or the platform by two words.
  case givenTwice(String, String, String)
  /// `freebsd/14.2`.
  case versionBehindSlash(OperatingSystem, String)

  package var message: String {
    switch self {
    case .unknownOperatingSystem(let word): "unknown operating system '\(word)'"
    case .swapped(_, let version): "'\(version)' is not an operating system"
    case .badVersion(let version): "'\(version)' is not a valid version"
    case .unknownPlatform(let word): "unknown platform '\(word)'"
    case .platformNotAvailable(let operatingSystem, let architecture):
      "\(operatingSystem.displayName) does not run on \(architecture.rawValue)"
    case .noSuchDemo(let version): "the demo guest has no version '\(version)'"
    case .givenTwice(let what, let one, let other):
      "the \(what) is given twice: '\(one)' and '\(other)'"
    case .versionBehindSlash(let system, let version):
      "'\(system.rawValue)/\(version)' has a version in the place of the platform"
    }
  }

  package var advice: String? {
    switch self {
    case .unknownOperatingSystem:
      "Use one of \(OperatingSystem.allCases.map(\.rawValue).joined(separator: ", "))."
    case .swapped(let system, let version):
      "The operating system comes first: '\(system.rawValue) \(version)'."
    case .badVersion:
      """
      Use at most 32 letters, digits, dots and dashes, such as 14.2. The first must be a letter or \
      digit, and two dots must not follow each other.
      """
    case .unknownPlatform:
      "Use one of \(Architecture.allCases.map(\.rawValue).joined(separator: ", "))."
    case .platformNotAvailable(let operatingSystem, _):
      "Use --platform \(operatingSystem.architectures.map(\.rawValue).joined(separator: " or "))."
    case .noSuchDemo: "Use 'demo \(Target.demoVersion)'."
    case .givenTwice("version", _, let other)
    where OperatingSystem(word: Self.system(in: other)) != nil:
      "'qvm matrix' runs a command on several systems."
    case .givenTwice: "Leave out one of them."
    case .versionBehindSlash(let system, let version):
      "The version comes after a colon: '\(system.rawValue):\(version)'."
    }
  }

  /// The part of a word where a target has its operating system.
  private static func system(in word: String) -> String {
    String(word.prefix { $0 != ":" && $0 != "/" })
  }

  package var exitStatus: ExitStatus { .usage }
}
