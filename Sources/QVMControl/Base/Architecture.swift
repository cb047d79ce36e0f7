/// The CPU architecture of a guest, or of the host.
package enum Architecture: String, CaseIterable, Sendable {
  case arm64 = "arm64"
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case x86_64 = "x86-64"

  /// Reads any usual spelling of an architecture, in upper or lower case.
  package init?(word: String) {
    switch word.lowercased() {
    case "arm64", "aarch64": self = .arm64
    case "x86-64", "x86_64", "amd64", "x64": self = .x86_64
    default: return nil
    }
  }

  /// QEMU's name for it: the last part of `qemu-system-…`.
  package var qemuTarget: String {
    switch self {
    case .arm64: "aarch64"
    case .x86_64: "x86_64"
    }
  }
}
