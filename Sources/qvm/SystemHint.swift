import QVMControl

/// The advice for a word that names no operating system.
enum SystemHint {
  /// - Returns: One to three sentences; nil if the failure is not about such a word.
  static func advice(for failure: any UserFacingError) -> String? {
    guard case .unknownOperatingSystem(let word)? = failure as? TargetError else { return nil }
    return advice(for: word)
  }

  /// The advice for a word in the place of the operating system.
  ///
  /// - Returns: One to three sentences.
  static func advice(for word: String, command: String) -> String {
    VersionHint.advice(for: word, command: command) ?? advice(for: word)
  }

  private static func advice(for word: String) -> String {
    let all = TargetError.unknownOperatingSystem(word).advice ?? ""
    let small = word.lowercased()
    let isFile = word.contains("/") || fileEndings.contains { small.hasSuffix($0) }
    if isFile { return "qvm boots the images of its own releases, and no files. \(all)" }
    let known = OperatingSystem.allCases.map(\.rawValue)
    guard let near = Spelling.closest(to: small, in: known) else { return all }
    return "Did you mean '\(near)'? \(all)"
  }

  private static let fileEndings = [".iso", ".img", ".qcow2", ".vmdk", ".vdi", ".raw"]
}
