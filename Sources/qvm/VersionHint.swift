import QVMControl

/// The advice for an operating system without a version, or with its version in the same argument.
enum VersionHint {
  /// - Parameters:
  ///   - word: The argument for the operating system: `freebsd`, `freebsd14`, `freebsd-14.2`.
  ///   - command: The command that it was given to.
  /// - Returns: One or two sentences; nil if the argument does not begin with an operating system.
  static func advice(for word: String, command: String) -> String? {
    let small = word.lowercased()
    guard let system = system(in: small) else { return nil }
    if system == .demo { return "Try 'qvm \(command) demo 1'." }
    let typed = version(small.dropFirst(system.rawValue.count))
    let words = typed.isEmpty ? system.rawValue : "\(system.rawValue) \(typed)"
    return "Try 'qvm \(command) \(words)'."
      + " 'qvm images --available \(system.rawValue)' lists all versions."
  }

  /// The version in the part behind the operating system's name, such as `-14.2-x86-64`.
  private static func version(_ rest: Substring) -> String {
    var rest = rest
    if let first = rest.first, "-:@_/ ".contains(first) { rest.removeFirst() }
    for architecture in Architecture.allCases where rest.hasSuffix("-\(architecture.rawValue)") {
      rest.removeLast(architecture.rawValue.count + 1)
      break
    }
    return String(rest)
  }

  /// The operating system that a word in lower case begins with.
  private static func system(in word: String) -> OperatingSystem? {
    OperatingSystem.allCases.first { word.hasPrefix($0.rawValue) }
  }

  /// What can be run without the network in place of an image that cannot be downloaded.
  ///
  /// - Returns: A sentence; nil if the cache has the image itself.
  static func advice(insteadOf request: TargetRequest) -> String? {
    guard let cache = try? Cache.fromEnvironment() else { return nil }
    let versions = request.cachedVersions(in: cache)
    let system = request.operatingSystem
    let option =
      request.architecture == Host.architecture || system.architectures.count == 1
      ? "" : "--platform \(request.architecture.rawValue) "
    guard let newest = versions.last else {
      return
        "The cache has no image of \(system.displayName) for \(request.architecture.rawValue)."
    }
    if versions.contains(where: request.fits) { return nil }
    return "The cache has \(system.rawValue) \(versions.joined(separator: ", ")): try"
      + " 'qvm run \(option)\(system.rawValue) \(newest)'."
  }

  /// The versions that are known without asking the releases.
  ///
  /// - Returns: A sentence; nil if the requested one is among them.
  static func known(_ request: TargetRequest) -> String? {
    let versions = FallbackReleases.versions(
      of: request.operatingSystem, on: request.architecture)
    let isKnown = request.target.map { versions.contains($0.version) } ?? false
    if versions.isEmpty || isKnown { return nil }
    return "The releases that this qvm knows have \(versions.joined(separator: ", "))."
  }

  /// The name of the base image in the cache that `name` names.
  static func image(named name: String) -> String? {
    guard let cache = try? Cache.fromEnvironment() else { return nil }
    return BaseImage.list(in: cache).first { $0.name == name }?.name
  }
}
