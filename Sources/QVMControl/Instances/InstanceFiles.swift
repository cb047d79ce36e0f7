internal import QMPClient

/// The files of one instance, by absolute path.
package struct InstanceFiles: Sendable, Hashable {
  package let folder: String

  package init(folder: String) { self.folder = folder }

  /// The cache that the instance is in.
  var cache: Cache { Cache(path: Files.parent(of: Files.parent(of: folder))) }

  /// What the instance is; written once.
  package var record: String { "\(folder)/instance.json" }
  /// The overlay: what the guest wrote on top of its base image.
  package var disk: String { "\(folder)/\(Self.diskName)" }
  static let diskName = "disk.qcow2"
  /// The current boot, or the last one.
  package var boot: String { "\(folder)/boot.json" }
  /// How the last boot ended.
  package var outcome: String { "\(folder)/outcome.json" }
  /// Held by the command that starts the VM, then by its supervisor and QEMU until both have
  /// exited.
  package var vmLock: String { "\(folder)/\(Self.vmLockName)" }
  static let vmLockName = "vm.lock"
  /// Distinguishes this instance from a copy of it; nil if it has no lock.
  package var lockIdentity: String? {
    Files.information(vmLock).map { "\($0.device)-\($0.inode)" }
  }
  /// Held by the supervisor alone.
  package var supervisorLock: String { "\(folder)/supervisor.lock" }
  /// QEMU's pid file if the boot has none of its own, as in an older qvm.
  package var qemuPid: String { "\(folder)/qemu.pid" }
  /// The pid file of one boot. QEMU removes the path when it exits. After the folder was moved, a
  /// path without the token could be another instance's.
  package func qemuPid(ofBoot token: String) -> String {
    "\(folder)/qemu-\(token.prefix(8)).pid"
  }
  /// The pid files of all boots.
  package var pidFiles: [String] {
    Files.list(folder).filter { $0.hasPrefix("qemu") && $0.hasSuffix(".pid") }
      .map { "\(folder)/\($0)" }
  }
  /// The pid that QEMU itself has written; nil if there is none.
  package var writtenPid: Int32? {
    pidFiles.lazy.compactMap { Files.text($0).flatMap { Int32($0.prefix { $0.isNumber }) } }.first
  }
  /// The guest's serial output of all boots.
  package var console: String { "\(folder)/console.log" }
  /// QEMU's own output in this boot.
  package var qemuLog: String { "\(folder)/qemu.log" }
  /// The supervisor's messages.
  package var supervisorLog: String { "\(folder)/supervisor.log" }
  /// The disk with the ssh keys that may log in, for a guest that needs one. Written before each boot.
  package var keyDisk: String { "\(folder)/keys.img" }
  /// The token of the boot whose guest has taken the keys.
  package var keysTaken: String { "\(folder)/keys.taken" }
  /// The guest's ssh host key, written by ssh.
  package var knownHosts: String { "\(folder)/\(Self.knownHostsName)" }
  package static let knownHostsName = "known_hosts"
  /// The socket of the connection to the guest that commands share, made by ssh.
  package var sharedConnection: String { "\(folder)/\(Self.sharedConnectionName)" }
  package static let sharedConnectionName = "ssh.sock"
}

// MARK: - The end of a boot

extension InstanceFiles {
  /// Blocks until QEMU and its supervisor have exited: until this boot's locks are free, or the instance
  /// is gone.
  package func blockUntilEnded() {
    let token = bootToken
    // A supervisor that adopted its QEMU gets `vm.lock` a moment after that is free. It holds its own
    // lock until it has recorded the outcome.
    while (try? FileLock.untilFree(vmLock)) != nil, FileLock.isHeld(supervisorLock),
      bootToken == token
    {
      _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(10)))
    }
  }

  /// Whether QEMU and the supervisor of a boot have exited. Waits for that for half a second, because a
  /// killed process closes its sockets a moment before it drops its locks.
  ///
  /// - Parameter token: The boot.
  /// - Returns: False if one of them still holds its lock then.
  func hasEnded(boot token: String?) -> Bool {
    let deadline = SuspendingClock.now.advanced(by: .milliseconds(500))
    while FileLock.isHeld(vmLock) || FileLock.isHeld(supervisorLock) {
      if bootToken != token { return true }
      guard .now < deadline else { return false }
      _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: .milliseconds(10)))
    }
    return true
  }

  /// The token of the current boot, or else the last; nil if no record can be read.
  var bootToken: String? { bootRecord?.token }

  /// The record of the current boot, or else of the last; nil if none can be read.
  var bootRecord: BootRecord? { (try? BootRecord.read(boot)) ?? nil }
}
