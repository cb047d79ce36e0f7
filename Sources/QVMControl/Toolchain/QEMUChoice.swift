/// Which QEMU to use, as `QVM_QEMU` says.
package enum QEMUChoice: Sendable, Hashable {
  /// The managed build where it runs, else the system's.
  case auto
  /// The build from the releases.
  case managed
  /// The one on the search path.
  case system
  /// The one in a folder that holds `bin` and `share/qemu`.
  case folder(String)

  /// - Throws: `badChoice` for a word that is neither known nor a path.
  package init(_ text: String) throws(ToolchainError) {
    switch text {
    case "auto": self = .auto
    case "managed": self = .managed
    case "system": self = .system
    default:
      guard text.utf8.contains(UInt8(ascii: "/")) else { throw .badChoice(text) }
      let path = text.hasPrefix("/") ? text : "\(Host.workingFolder ?? "")/\(text)"
      // Absolute and plain: it ends up in QEMU's arguments, and QEMU runs elsewhere.
      guard let resolved = Files.resolved(path) else { throw .noFolder(path) }
      self = .folder(resolved)
    }
  }

  /// What the environment asks for.
  package static func fromEnvironment() throws(ToolchainError) -> QEMUChoice {
    guard let text = Host.environmentPath("QVM_QEMU") else { return .auto }
    return try QEMUChoice(text)
  }

  /// Whether the managed builds run here: they are made for x86-64 only, and macOS runs those on
  /// Apple silicon too, though without acceleration.
  static func canRunManaged(isAsked: Bool) -> Bool {
    Host.architecture == .x86_64 || isAsked && Host.system == "macos"
  }
}
