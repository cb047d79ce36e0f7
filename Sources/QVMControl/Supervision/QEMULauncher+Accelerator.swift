internal import QMPClient

/// Finds out which accelerator the guest runs with.
extension QEMULauncher {
  /// Asks QEMU, by the command that its version has.
  ///
  /// - Throws: `QMPError`.
  func accelerator(
    of client: QMPClient, _ version: QEMUVersion?, _ arguments: QEMUArguments
  ) async throws -> String {
    if let version, version >= QueryAccelerators.since {
      return try await client.execute(QueryAccelerators(), timeout: greetingTimeout).enabled
    }
    let kvm = try await client.execute(QueryKVM(), timeout: greetingTimeout)
    return kvm.enabled ? "kvm" : fallback(arguments)
  }

  /// An older QEMU reports only KVM. Which other accelerators failed is in its log.
  private func fallback(_ arguments: QEMUArguments) -> String {
    let log = Files.text(files.qemuLog) ?? ""
    let failed = { (name: String) in
      log.contains("invalid accelerator \(name)") || log.contains("falling back to tcg")
    }
    return arguments.acceleratorList.first { $0 != "kvm" && ($0 == "tcg" || !failed($0)) } ?? "tcg"
  }
}
