/// The files of one instance, by absolute path.
package struct InstanceFiles: Sendable, Hashable {
  package let folder: String

  package init(folder: String) { self.folder = folder }

  /// What it is; written once.
  package var record: String { "\(folder)/instance.json" }
  /// The overlay: what the guest wrote over its base image.
  package var disk: String { "\(folder)/\(Self.diskName)" }
  static let diskName = "disk.qcow2"
  /// The current boot, or the last.
  package var boot: String { "\(folder)/boot.json" }
  /// How the last boot ended.
  package var outcome: String { "\(folder)/outcome.json" }
  /// Held by whoever starts the VM, then by its supervisor and QEMU: as long as either lives.
  package var vmLock: String { "\(folder)/\(Self.vmLockName)" }
  static let vmLockName = "vm.lock"
  /// Tells this instance from a copy of it; nil where it has no lock.
  package var lockIdentity: String? {
    Files.information(vmLock).map { "\($0.device)-\($0.inode)" }
  }
  /// Held by the supervisor alone.
  package var supervisorLock: String { "\(folder)/supervisor.lock" }
  /// Where QEMU writes its pid, as long as no boot has a file of its own for that.
  package var qemuPid: String { "\(folder)/qemu.pid" }
  /// The same for one boot. QEMU removes what has that path when it ends, which is another instance's
  /// where its own was moved.
  package func qemuPid(ofBoot token: String) -> String {
    "\(folder)/qemu-\(token.prefix(8)).pid"
  }
  /// All that boots have left of these.
  package var pidFiles: [String] {
    Files.list(folder).filter { $0.hasPrefix("qemu") && $0.hasSuffix(".pid") }
      .map { "\(folder)/\($0)" }
  }
  /// The pid that QEMU itself has written; nil where there is none to be read.
  package var writtenPid: Int32? {
    pidFiles.lazy.compactMap { Files.text($0).flatMap { Int32($0.prefix { $0.isNumber }) } }.first
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
