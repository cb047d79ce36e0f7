/// Which QEMU to use: the value of `QVM_QEMU`.
package enum QEMUChoice: Sendable, Hashable {
  /// The managed build if it runs here, else the system's.
  case auto
  /// The build from the releases.
  case managed
  /// The one in `PATH`.
  case system
  /// The one in a folder with `bin` and `share/qemu`.
  case folder(String)

  /// - Throws: `badChoice` for a text that is neither a known name nor a path; `noFolder`.
  package init(_ text: String) throws(ToolchainError) {
    switch text {
    case "auto": self = .auto
    case "managed": self = .managed
    case "system": self = .system
    default:
      guard text.utf8.contains(UInt8(ascii: "/")) else { throw .badChoice(text) }
      let path = text.hasPrefix("/") ? text : "\(Host.workingFolder ?? "")/\(text)"
      // Absolute, because it becomes part of QEMU's arguments and QEMU has another working folder.
      guard let resolved = Files.resolved(path) else { throw .noFolder(path) }
      self = .folder(resolved)
    }
  }

  /// The environment's choice; `auto` if it has none.
  package static func fromEnvironment() throws(ToolchainError) -> QEMUChoice {
    guard let text = Host.environmentPath("QVM_QEMU") else { return .auto }
    return try QEMUChoice(text)
  }

  /// Whether the managed builds run here. They are built only for x86-64. macOS on Apple silicon
  /// runs them too, without acceleration, so only if asked for.
  static func canRunManaged(isAsked: Bool) -> Bool {
    Host.architecture == .x86_64 || isAsked && Host.system == "macos"
  }
}
