/// What a user says of a target: an operating system, and of its version and architecture as much as
/// matters to the user.
package struct TargetRequest: Sendable, Hashable, CustomStringConvertible {
  package enum Version: Sendable, Hashable {
    /// This very version.
    case exact(String)
    /// The newest version that begins with this one: 14.3 for 14.
    case part(String)
    /// The newest version of all.
    case newest
  }

  package let operatingSystem: OperatingSystem
  package let version: Version
  /// The architecture: the one that was named, else as ``Target`` chooses it.
  package let architecture: Architecture
  /// Whether the user named the architecture.
  package let namesArchitecture: Bool

  /// The word for the newest version.
  private static let latest = "latest"

  /// Reads a request.
  ///
  /// - Parameters:
  ///   - word: `OS`, `OS:VERSION`, `OS/ARCH` or `OS:VERSION/ARCH`.
  ///   - version: The version, if it is another word: whole (`14.2`), in part (`14`) or `latest`.
  ///   - platform: The architecture, if it is another word.
  ///   - host: The host's architecture.
  /// - Throws: ``TargetError``.
  package init(
    _ word: String, version: String? = nil, platform: String? = nil, host: Architecture
  ) throws(TargetError) {
    let slash = Self.cut(word, at: "/")
    let colon = Self.cut(slash.head, at: ":")
    guard let system = OperatingSystem(word: colon.head) else {
      if let version, let system = OperatingSystem(word: version) {
        throw .swapped(system, version: word)
      }
      throw .unknownOperatingSystem(word)
    }
    if let named = colon.tail, let version { throw .givenTwice("version", named, version) }
    if let named = slash.tail, let platform { throw .givenTwice("platform", named, platform) }
    if let named = slash.tail, colon.tail == nil, version == nil,
      Architecture(word: named) == nil, Self.beginsWithDigit(named)
    {
      throw .versionBehindSlash(system, named)
    }
    operatingSystem = system
    let typed = version ?? colon.tail
    namesArchitecture = platform != nil || slash.tail != nil
    // Checks the architecture, and the version's characters.
    architecture = try Target(
      operatingSystem: system.rawValue,
      version: system == .demo ? Self.demoVersion(typed) : typed ?? Self.latest,
      platform: platform ?? slash.tail, host: host
    ).architecture
    self.version = Self.version(typed, of: system)
  }

  private static func demoVersion(_ typed: String?) -> String {
    typed == nil || typed == latest ? Target.demoVersion : typed ?? ""
  }

  private static func version(_ typed: String?, of system: OperatingSystem) -> Version {
    if system == .demo { return .exact(Target.demoVersion) }
    guard let typed, typed.lowercased() != latest else { return .newest }
    let isWhole = VersionOrder.parts(typed).count >= system.versionParts
    return isWhole ? .exact(typed) : .part(typed)
  }

  private static func cut(_ word: String, at separator: Character) -> (head: String, tail: String?)
  {
    guard let index = word.firstIndex(of: separator) else { return (word, nil) }
    return (String(word[..<index]), String(word[word.index(after: index)...]))
  }

  private static func beginsWithDigit(_ word: String) -> Bool {
    word.utf8.first.map { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ?? false
  }

  // MARK: - What it means

  /// As people say it: `freebsd`, `freebsd 14`, `freebsd 14.2`.
  package var description: String {
    switch version {
    case .exact(let version), .part(let version): "\(operatingSystem.rawValue) \(version)"
    case .newest: operatingSystem.rawValue
    }
  }

  /// The target, if the request names it completely; nil if the version is still to be chosen.
  package var target: Target? {
    if case .exact(let version) = version { return try? target(version) }
    return nil
  }

  /// The target with a version.
  ///
  /// - Throws: `badVersion`.
  package func target(_ version: String) throws(TargetError) -> Target {
    try Target(
      operatingSystem: operatingSystem.rawValue, version: version, platform: architecture.rawValue,
      host: architecture)
  }

  /// A target for what doesn't depend on the version, such as the arguments for QEMU.
  package var anyTarget: Target? {
    switch version {
    case .exact(let version), .part(let version): try? target(version)
    case .newest: try? target(Self.latest)
    }
  }

  /// Whether a version is one that the request means.
  package func fits(_ candidate: String) -> Bool {
    switch version {
    case .exact(let version): candidate == version
    case .part(let version): VersionOrder.begins(candidate, with: version)
    case .newest: true
    }
  }

  /// Whether an existing instance's target is one that the request means.
  package func fits(_ target: Target) -> Bool {
    target.operatingSystem == operatingSystem && fits(target.version)
      && (!namesArchitecture || target.architecture == architecture)
  }

  /// The newest of several versions that fits; nil if none does.
  ///
  /// A version that was named exactly comes first. A pre-release, such as 15.0-RC1, comes only after
  /// all versions of numbers alone.
  package func newest(of versions: [String]) -> String? {
    let fitting = versions.filter(fits)
    if case .part(let version) = version, fitting.contains(version) { return version }
    let released = fitting.filter { VersionOrder.parts($0).allSatisfy { Int($0) != nil } }
    return (released.isEmpty ? fitting : released).max(by: VersionOrder.precedes)
  }
}

extension OperatingSystem {
  /// How many numbers and words a whole version has at least: two in 14.2 and r151056, four in r1beta5.
  fileprivate var versionParts: Int {
    switch self {
    case .freebsd, .netbsd, .openbsd, .omnios: 2
    case .haiku: 4
    case .demo: 1
    }
  }
}
