internal import QMPClient

/// Which accelerator the guest runs with.
extension QEMULauncher {
  /// Asks QEMU, as its version lets itself be asked.
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

  /// An older QEMU has no question for the others: what it fell back from is in its log.
  private func fallback(_ arguments: QEMUArguments) -> String {
    let log = Files.text(files.qemuLog) ?? ""
    let failed = { (name: String) in
      log.contains("invalid accelerator \(name)") || log.contains("falling back to tcg")
    }
    return arguments.acceleratorList.first { $0 != "kvm" && ($0 == "tcg" || !failed($0)) } ?? "tcg"
  }
}
