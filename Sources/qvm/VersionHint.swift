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
    let versions = cached(system)
    let typed = version(small.dropFirst(system.rawValue.count))
    let near = versions.filter { $0.hasPrefix(typed) }
    if !typed.isEmpty, typed.contains("."), near.isEmpty || near.contains(typed) {
      return "Try 'qvm \(command) \(system.rawValue) \(typed)'."
    }
    let list = "'qvm images --available \(system.rawValue)' lists all versions"
    let known = near.isEmpty ? versions : near
    guard let newest = known.last else { return "\(list)." }
    let others = known.count > 1 ? " (or \(known.dropLast().joined(separator: ", ")))" : ""
    return "Try 'qvm \(command) \(system.rawValue) \(newest)'\(others). \(list)."
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

  /// What can be run without the network in place of a target whose image cannot be downloaded.
  ///
  /// - Returns: A sentence; nil if the cache has no image of the operating system, or the target's own.
  static func advice(insteadOf target: Target, command: String) -> String? {
    let system = target.operatingSystem.rawValue
    let versions = cached(target.operatingSystem)
    guard let newest = versions.last, !versions.contains(target.version) else { return nil }
    return "The cache has \(system) \(versions.joined(separator: ", ")): try"
      + " 'qvm \(command) \(system) \(newest)'."
  }

  /// The name of the base image in the cache that `name` names.
  static func image(named name: String) -> String? {
    guard let cache = try? Cache.fromEnvironment() else { return nil }
    return BaseImage.list(in: cache).first { $0.name == name }?.name
  }

  /// The versions of the images in the cache, the oldest first.
  private static func cached(_ system: OperatingSystem) -> [String] {
    guard let cache = try? Cache.fromEnvironment() else { return [] }
    var versions: [String] = []
    for image in BaseImage.list(in: cache) where image.name.hasPrefix("\(system.rawValue)-") {
      let version = version(image.name.dropFirst(system.rawValue.count))
      if !versions.contains(version) { versions.append(version) }
    }
    return versions.sorted(by: VersionOrder.precedes)
  }
}
