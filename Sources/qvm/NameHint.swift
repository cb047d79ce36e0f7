import QVMControl

/// The advice for a name that no instance has.
enum NameHint {
  /// - Returns: One or two sentences; nil if the failure is not about such a name.
  static func advice(for failure: any UserFacingError) -> String? {
    if case .noSuchImage(let name)? = failure as? PruningError { return advice(noImage: name) }
    return switch failure as? InstanceError {
    case .noSuch(let name): advice(unknown: name)
    case .badName(let name): name.split(separator: "@").count == 2 ? advice(userAndName: name) : nil
    default: nil
    }
  }

  /// - Returns: Nil if the name is near to none.
  private static func advice(noImage name: String) -> String? {
    if existing().contains(name) {
      return "'\(name)' is an instance. 'qvm rm \(name)' removes it with its disk."
    }
    let images = (try? Cache.fromEnvironment()).map { BaseImage.list(in: $0).map(\.name) } ?? []
    guard let near = Spelling.closest(to: name.lowercased(), in: images) else { return nil }
    return "Did you mean '\(near)'? " + (PruningError.noSuchImage(name).advice ?? "")
  }

  /// How to begin.
  static let none =
    "There is no instance yet. 'qvm run OS VERSION' creates one, such as 'qvm run demo 1'."

  private static func advice(unknown name: String) -> String {
    let names = existing()
    let small = name.lowercased()
    let near =
      names.first { $0.lowercased() == small }
      ?? Spelling.closest(to: name, in: names.filter { $0 != name })
    if let near {
      return "Did you mean '\(near)'? 'qvm list' shows all instances."
    }
    if let image = VersionHint.image(named: name) {
      return "'\(image)' is a base image. 'qvm prune' removes those that no instance needs."
    }
    if let advice = VersionHint.advice(for: name, command: "run") {
      return "'qvm run OS VERSION' creates an instance. \(advice)"
    }
    if names.isEmpty {
      return none
    }
    return "'qvm list' shows all instances."
  }

  /// Only `qvm ssh` takes a user in front of the name.
  private static func advice(userAndName word: String) -> String {
    let parts = word.split(separator: "@")
    let (user, name) = (parts[0], parts[1])
    return
      "Leave out the user: '\(name)'. 'qvm ssh \(word)' and 'qvm exec -u \(user) \(name)' log in as"
      + " '\(user)'. 'qvm status \(name)' names the image's own user."
  }

  /// The advice for an argument that is an instance instead of an operating system.
  ///
  /// - Returns: A sentence; nil if there is no such instance.
  static func advice(forInstance word: String) -> String? {
    guard existing().contains(word) else { return nil }
    return "'\(word)' is an instance: 'qvm start \(word)' boots it again, and if it is running,"
      + " 'qvm attach \(word)' shows its console."
  }

  static func existing() -> [String] {
    (try? Cache.fromEnvironment()).map { InstanceStore($0).names.map(\.text) } ?? []
  }
}
