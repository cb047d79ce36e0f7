import QVMControl

/// The option of every command that takes the architecture of a guest.
extension Parameter {
  static func platform(keep: @escaping Keep<String>) -> Self {
    let all = Architecture.allCases.map(\.rawValue).joined(separator: " or ")
    return .option(
      "--platform", "ARCH", "CPU architecture: \(all) (default: the host's).",
      completing: .platforms, keep: keep)
  }
}
