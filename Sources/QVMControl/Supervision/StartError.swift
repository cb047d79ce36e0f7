package import QMPClient

/// A VM that did not get to execute its first instruction.
package enum StartError: UserFacingError, Hashable {
  /// QEMU exited by itself; `log` has its messages.
  case qemuEnded(ProcessEnd, log: [String], hint: Hint?)
  /// QEMU runs, but its monitor failed.
  case monitor(QMPError, log: [String])
  /// `by` is the VM that uses it, if it is one.
  case portTaken(address: String, port: Int, by: PortHolder?)
  case noFreePort(address: String, from: Int)
  /// The command that started it exited, or asked for the shutdown, before it ran.
  case abandoned
  case other(message: String, advice: String?)

  package enum Hint: Sendable, Hashable {
    case accelerator, memory, image
    /// The instance's own disk is damaged.
    case damagedDisk(path: String, name: String)
    case damagedBaseImage
    case limit(ResourceLimit)
    /// The kernel killed it because memory ran out.
    case memoryKill(Outcome.MemoryKill)
  }

  package var message: String {
    switch self {
    case .qemuEnded(let end, let log, let hint):
      (["QEMU exited before the guest ran: \(Self.text(end, hint))"] + log.map { "  \($0)" })
        .joined(separator: "\n")
    case .monitor(let error, let log):
      (["QEMU started, but its monitor failed: \(error)"] + log.map { "  \($0)" })
        .joined(separator: "\n")
    case .portTaken(let address, let port, let holder):
      "port \(port)\(address.isEmpty ? "" : " of \(address)") is taken by "
        + (holder?.text ?? "another program")
    case .noFreePort(let address, let from):
      "there is no free port from \(from) upwards\(address.isEmpty ? "" : " on \(address)")"
    case .abandoned: "the start was interrupted"
    case .other(let message, _): message
    }
  }

  private static func text(_ end: ProcessEnd, _ hint: Hint?) -> String {
    if case .memoryKill(let kill) = hint { kill.sentence } else { "\(end)" }
  }

  package var advice: String? {
    switch self {
    case .qemuEnded(_, _, .accelerator):
      "Set QVM_ACCEL=tcg, or give 'qvm run' --accel tcg: tcg needs no support by the hardware."
    case .qemuEnded(_, _, .memory), .qemuEnded(_, _, .memoryKill):
      "Give the guest less memory with --memory."
    case .qemuEnded(_, _, .limit(let limit)): "The limit: \(limit.description). \(limit.advice)"
    case .qemuEnded(_, _, .damagedDisk(let path, let name)):
      "The disk is damaged. 'qemu-img check -r all \(QEMUArguments.shellQuoted(path))' repairs what"
        + " it can; make a copy first. 'qvm rm \(name)' removes the instance."
    case .qemuEnded(_, _, .damagedBaseImage):
      "'qvm verify' checks the base images, and tells how to download one again."
    case .qemuEnded(_, _, .image):
      "Another process uses the disk. 'qvm list' may show which instance."
    case .qemuEnded: "'qvm run --dry-run' prints the QEMU command."
    case .monitor: nil
    case .portTaken: "Choose another --ssh-port, or leave the option out to get a free one."
    case .noFreePort: "Name a free port with --ssh-port."
    case .abandoned: nil
    case .other(_, let advice): advice
    }
  }

  package var exitStatus: ExitStatus {
    if case .abandoned = self { .interrupted } else { .failed }
  }
}
