/// Arguments that do not name a guest that can run.
package enum TargetError: UserFacingError, Equatable {
  case unknownOperatingSystem(String)
  /// The version where the operating system belongs, and the other way round.
  case swapped(OperatingSystem, version: String)
  case badVersion(String)
  case unknownPlatform(String)
  case platformNotAvailable(OperatingSystem, Architecture)
  case noSuchDemo(version: String)

  package var message: String {
    switch self {
    case .unknownOperatingSystem(let word): "unknown operating system '\(word)'"
    case .swapped(_, let version): "'\(version)' is not an operating system"
    case .badVersion(let version): "'\(version)' is not a valid version"
    case .unknownPlatform(let word): "unknown platform '\(word)'"
    case .platformNotAvailable(let operatingSystem, let architecture):
      "\(operatingSystem.displayName) does not run on \(architecture.rawValue)"
    case .noSuchDemo(let version): "the demo guest has no version '\(version)'"
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
    }
  }

  package var exitStatus: ExitStatus { .usage }
}
