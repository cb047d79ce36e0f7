/// One boot of an instance: what was requested and what is running. Written as `boot.json`.
///
/// It outlives the boot. A command that finds the VM gone reads here what must be done after it.
package struct BootRecord: Sendable, Hashable {
  /// Identifies this boot. Its outcome has the same token.
  package var token: String
  /// Identifies the host's boot. If it differs, the host was restarted meanwhile.
  package var hostBootID: String
  package var startedAt: Timestamp
  /// Whether to remove the instance once its shutdown is confirmed.
  package var removeOnShutdown: Bool
  /// The timeout for powering off, in seconds.
  package var shutdownTimeout: Int
  package var supervisorPid: Int32
  package var supervisorStart: UInt64
  /// QEMU's pid; nil before it was spawned.
  package var pid: Int32?
  package var start: UInt64?
  /// QEMU's command line, with the program first.
  package var command: [String]
  /// `kvm`, `hvf` or `tcg`; nil before QEMU's greeting.
  package var accelerator: String?
  package var qemuVersion: String?
  package var sshAddress: String?
  package var sshPort: Int?
  /// The ports that lead to the guest, besides that of ssh. Each was written here before QEMU listened.
  package var published: [PublishedPort] = []
  /// The offset in `console.log` at which this boot begins, in bytes. Never negative, even if a
  /// damaged file says so.
  package var consoleOffset: Int { didSet { consoleOffset = max(0, consoleOffset) } }
  /// The folder of the sockets; nil if they are beside the disk.
  package var runtimeFolder: String?
  /// The pid namespace of QEMU's pid, as Linux names it; nil if the system has only one.
  package var pidNamespace: String?
  /// The pid namespace of the supervisor's pid. A supervisor that adopted the VM may run in another
  /// one than QEMU.
  package var supervisorNamespace: String?
  /// The device and inode of `vm.lock`; nil if unknown. If they differ from the file's, this
  /// instance is a copy.
  package var lock: String?
  /// Whether the disk was made for this boot, so that nothing is lost with it.
  package var isFirst: Bool
  /// Whether QEMU was spawned with SIGTERM blocked; false in the records of an older qvm.
  package var blocksSignals = false
  /// The number of this boot, counted from 1, even in a damaged file.
  package var number = 1 { didSet { number = max(1, number) } }
  /// The offsets in `console.log` at which the earlier boots begin, in bytes, oldest first.
  /// Negative if that many bytes of the boot were discarded.
  package var earlier: [Int] = []

  /// How many earlier boots are recorded at most.
  static let mostEarlier = 31

  /// Whether this boot forwards a port of the host.
  func forwards(_ port: Int, _ transport: NetworkPort.Transport) -> Bool {
    transport == .tcp && sshPort == port
      || published.contains { ($0.port, $0.transport) == (port, transport) }
  }

  /// Whether the QEMU of this boot may be running. False only if it certainly isn't.
  package var mayLive: Bool {
    guard hostBootID == Host.bootID else { return false }
    guard hasOwnPids, let pid, let start else { return true }
    return Host.startTime(of: pid) == start
  }

  /// Whether QEMU's pid is valid in this pid namespace. If not, only the locks and the monitor show
  /// whether QEMU is running.
  package var hasOwnPids: Bool { pidNamespace == nil || pidNamespace == Host.pidNamespace }

  /// QEMU's pid, if it is valid in this pid namespace.
  package var knownPid: Int32? { hasOwnPids ? pid : nil }

  /// The supervisor's pid, if it is valid in this pid namespace.
  package var knownSupervisorPid: Int32? {
    supervisorNamespace == nil || supervisorNamespace == Host.pidNamespace ? supervisorPid : nil
  }

  /// The folder of this boot's sockets.
  package func runtime(_ files: InstanceFiles) -> RuntimeFolder {
    runtimeFolder.map { RuntimeFolder(path: $0) } ?? .of(files)
  }

  /// The file to which QEMU writes its pid. QEMU removes it on a normal exit.
  ///
  /// - Parameter files: The instance's files. The instance may have been moved since.
  /// - Returns: The path.
  package func pidFile(in files: InstanceFiles) -> String {
    guard let place = command.lastIndex(of: "-pidfile"), place + 1 < command.count else {
      return files.qemuPid
    }
    return "\(files.folder)/\(Files.lastName(of: command[place + 1]))"
  }

  /// Whether QEMU has sent its greeting. Before that, the guest has executed no instruction, and a
  /// missing pid file proves nothing.
  package var wasGreeted: Bool { accelerator != nil }

  /// The record of a boot that this process begins.
  ///
  /// - Parameters:
  ///   - files: The instance's.
  ///   - runtimeFolder: The folder of the sockets; nil if they are beside the disk.
  ///   - removeOnShutdown: Whether to remove the instance once its shutdown is confirmed.
  ///   - shutdownTimeout: The timeout for powering off, in seconds.
  ///   - isFirst: Whether the disk was made for this boot.
  ///   - consoleCut: How many bytes were removed from the beginning of the console's log since the
  ///     last boot.
  /// - Returns: The record before QEMU is spawned.
  package static func beginning(
    _ files: InstanceFiles, runtimeFolder: String?, removeOnShutdown: Bool, shutdownTimeout: Int,
    isFirst: Bool, consoleCut: Int = 0
  ) -> BootRecord {
    let pid = Host.processID
    var record = BootRecord(
      token: Randomness.hexadecimal(bytes: 8), hostBootID: Host.bootID, startedAt: .now,
      removeOnShutdown: removeOnShutdown, shutdownTimeout: shutdownTimeout, supervisorPid: pid,
      supervisorStart: Host.startTime(of: pid) ?? 0, command: [],
      consoleOffset: Files.information(files.console)?.size ?? 0, runtimeFolder: runtimeFolder,
      pidNamespace: Host.pidNamespace, supervisorNamespace: Host.pidNamespace,
      lock: files.lockIdentity,
      isFirst: isFirst)
    // For a first boot, the existing file is not an earlier boot's but the request for this one.
    if !isFirst, let last = (try? read(files.boot)) ?? nil {
      record.follow(last, consoleCut: consoleCut)
    }
    return record
  }

  /// Takes over the offsets of the last boot.
  mutating func follow(_ last: BootRecord, consoleCut: Int) {
    let starts = (last.earlier + [last.consoleOffset]).map { $0 - consoleCut }
    // A boot ends where the next one begins. Boots without remaining bytes are dropped.
    let ends = Array(starts.dropFirst()) + [consoleOffset]
    let firstKept = ends.firstIndex { $0 > 0 } ?? ends.endIndex
    earlier = Array(starts[firstKept...].suffix(Self.mostEarlier))
    number = last.number + 1
  }
}

extension BootRecord: FileRecord {
  package static let schema = 1

  package static let blank = BootRecord(
    token: "", hostBootID: "", startedAt: Timestamp(seconds: 0), removeOnShutdown: false,
    shutdownTimeout: 0, supervisorPid: 0, supervisorStart: 0, command: [], consoleOffset: 0,
    isFirst: false)

  package mutating func exchange(with fields: inout RecordFields) {
    fields.required("boot", &token)
    fields.required("hostBootId", &hostBootID)
    fields.required("startedAt", &startedAt)
    fields.optional("removeOnShutdown", &removeOnShutdown)
    fields.required("shutdownTimeout", &shutdownTimeout)
    fields.required("supervisorPid", &supervisorPid)
    fields.required("supervisorStart", &supervisorStart)
    fields.optional("command", &command)
    fields.required("consoleOffset", &consoleOffset)
    fields.optional("isFirst", &isFirst)
    fields.optional("number", &number, omitting: 1)
    fields.optional("earlierConsoleOffsets", &earlier, omitting: [])
    fields.optional("runtimeFolder", &runtimeFolder)
    fields.optional("pidNamespace", &pidNamespace)
    fields.optional("supervisorNamespace", &supervisorNamespace)
    fields.optional("lock", &lock)
    fields.optional("pid", &pid)
    fields.optional("start", &start)
    fields.optional("accelerator", &accelerator)
    fields.optional("qemuVersion", &qemuVersion)
    fields.optional("sshAddress", &sshAddress)
    fields.optional("sshPort", &sshPort)
    fields.optional("published", &published, omitting: [])
    fields.optional("blocksSignals", &blocksSignals, omitting: false)
  }
}
