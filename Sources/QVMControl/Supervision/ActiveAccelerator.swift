internal import QMPClient

/// Finds out which accelerator a guest runs with.
struct ActiveAccelerator {
  let client: QMPClient
  let arguments: QEMUArguments
  /// The path of QEMU's log.
  let log: String
  /// How long QEMU may take to answer.
  let timeout: Duration

  /// The accelerator's name, as QEMU tells it by the command that its version has.
  ///
  /// - Throws: `QMPError`.
  func name(_ version: QEMUVersion?) async throws -> String {
    if let version, version >= QueryAccelerators.since {
      return try await client.execute(QueryAccelerators(), timeout: timeout).enabled
    }
    let kvm = try await client.execute(QueryKVM(), timeout: timeout)
    return kvm.enabled ? "kvm" : fallback()
  }

  /// An older QEMU reports only KVM. Which other accelerators failed is in its log.
  private func fallback() -> String {
    let log = Files.text(log) ?? ""
    let failed = { (name: String) in
      log.contains("invalid accelerator \(name)") || log.contains("falling back to tcg")
    }
    return arguments.acceleratorList.first { $0 != "kvm" && ($0 == "tcg" || !failed($0)) } ?? "tcg"
  }
}
