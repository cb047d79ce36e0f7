/// The files of one instance, by absolute path.
package struct InstanceFiles: Sendable, Hashable {
  package let folder: String

  package init(folder: String) { self.folder = folder }

  /// What it is; written once.
  package var record: String { "\(folder)/instance.json" }
  /// The overlay: what the guest wrote over its base image.
  package var disk: String { "\(folder)/disk.qcow2" }
  /// The current boot, or the last.
  package var boot: String { "\(folder)/boot.json" }
  /// How the last boot ended.
  package var outcome: String { "\(folder)/outcome.json" }
  /// Held by whoever starts the VM, then by its supervisor and QEMU: as long as either lives.
  package var vmLock: String { "\(folder)/vm.lock" }
  /// Held by the supervisor alone.
  package var supervisorLock: String { "\(folder)/supervisor.lock" }
  /// Written by QEMU, which removes it when it ends in an orderly way.
  package var qemuPid: String { "\(folder)/qemu.pid" }
  /// The pid that QEMU itself has written; nil where there is none to be read.
  package var writtenPid: Int32? {
    Files.text(qemuPid).flatMap { Int32($0.prefix { $0.isNumber }) }
  }
  /// What the guest wrote to its serial port, in all boots.
  package var console: String { "\(folder)/console.log" }
  /// What QEMU itself printed in this boot.
  package var qemuLog: String { "\(folder)/qemu.log" }
  /// What the supervisor had to say.
  package var supervisorLog: String { "\(folder)/supervisor.log" }
  /// The guest's ssh host key, written by ssh.
  package var knownHosts: String { "\(folder)/\(Self.knownHostsName)" }
  package static let knownHostsName = "known_hosts"
}
