import QVMControl

/// The advice for an operating system without a version, or with its version in the same argument.
enum VersionHint {
  /// - Parameters:
  ///   - word: The argument for the operating system: `freebsd`, `freebsd14`, `freebsd-14.2`.
  ///   - command: The command that it was given to.
  /// - Returns: One or two sentences; nil if the argument does not begin with an operating system.
  static func advice(for word: String, command: String) -> String? {
    let small = word.lowercased()
    guard let system = OperatingSystem.allCases.first(where: { small.hasPrefix($0.rawValue) })
    else { return nil }
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
    if let first = rest.first, "-:@_".contains(first) { rest.removeFirst() }
    for architecture in Architecture.allCases where rest.hasSuffix("-\(architecture.rawValue)") {
      rest.removeLast(architecture.rawValue.count + 1)
      break
    }
    return String(rest)
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
