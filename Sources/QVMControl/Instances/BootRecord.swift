package import QMPClient

/// One boot of an instance: what was intended and what is running, written as `boot.json`.
///
/// It outlives its boot, so that a command that finds the VM gone knows what was to be done then.
package struct BootRecord: Sendable, Hashable {
  package static let schema = 1

  /// Names this boot; the outcome repeats it.
  package var token: String
  /// Names the host's boot: another one means that the host was restarted meanwhile.
  package var hostBootID: String
  package var startedAt: Timestamp
  /// Whether the instance is to be removed once its shutdown is confirmed.
  package var removeOnShutdown: Bool
  /// How long the guest may take to power off, in seconds.
  package var shutdownTimeout: Int
  package var supervisorPid: Int32
  package var supervisorStart: UInt64
  /// QEMU's; nil before it was started.
  package var pid: Int32?
  package var start: UInt64?
  /// QEMU's command, the program first.
  package var command: [String]
  /// `kvm`, `hvf` or `tcg`; nil before QEMU has answered.
  package var accelerator: String?
  package var qemuVersion: String?
  package var sshAddress: String?
  package var sshPort: Int?
  /// Where in `console.log` this boot begins, in bytes.
  package var consoleOffset: Int
  /// The folder of the sockets; nil where they are beside the disk.
  package var runtimeFolder: String?
  /// The namespace that QEMU's pid belongs to, as Linux names it; nil where there is but one.
  package var pidNamespace: String?
  /// The same of the supervisor's pid: one that took over may run elsewhere than QEMU.
  package var supervisorNamespace: String?
  /// The lock's file, as device and inode; nil where it is not known. Another one means that all of this
  /// is a copy.
  package var lock: String?
  /// Whether the disk was made for this very boot, so that nothing is lost with it.
  package var isFirst: Bool
  /// Whether QEMU was started with SIGTERM blocked; an older qvm's was not.
  package var blocksSignals = false
  /// How many boots of the instance there were with this one.
  package var number = 1
  /// Where in `console.log` the boots before this begin, in bytes, the oldest first; less than 0 where
  /// so many bytes of that boot are not kept any more.
  package var earlier: [Int] = []

  /// So many boots before the last are known.
  static let mostEarlier = 31

  /// Whether the QEMU of this boot may live: false only where it certainly doesn't.
  package var mayLive: Bool {
    guard hostBootID == Host.bootID else { return false }
    guard hasOwnPids, let pid, let start else { return true }
    return Host.startTime(of: pid) == start
  }

  /// Whether QEMU's pid means that process here. One of a container's means another, or none: only
  /// the locks and the monitor tell of it.
  package var hasOwnPids: Bool { pidNamespace == nil || pidNamespace == Host.pidNamespace }

  /// QEMU's pid, if it means that process here.
  package var knownPid: Int32? { hasOwnPids ? pid : nil }

  /// The supervisor's pid, if it means that process here.
  package var knownSupervisorPid: Int32? {
    supervisorNamespace == nil || supervisorNamespace == Host.pidNamespace ? supervisorPid : nil
  }

  /// Where the sockets of this boot are.
  package func runtime(_ files: InstanceFiles) -> RuntimeFolder {
    runtimeFolder.map { RuntimeFolder(path: $0) } ?? .of(files)
  }

  /// The file that QEMU writes its pid to, and removes when it ends in an orderly way.
  ///
  /// - Parameter files: The instance's, which may have been moved since.
  /// - Returns: Its path.
  package func pidFile(in files: InstanceFiles) -> String {
    guard let place = command.lastIndex(of: "-pidfile"), place + 1 < command.count else {
      return files.qemuPid
    }
    return "\(files.folder)/\(Files.lastName(of: command[place + 1]))"
  }

  /// Whether QEMU has ever answered: before that no instruction of the guest has run, and the
  /// absence of QEMU's pid file proves nothing.
  package var wasGreeted: Bool { accelerator != nil }

  /// Whether the instance is to be removed after this outcome of the boot.
  ///
  /// Only an end that is certain to be orderly is enough, or one before the guest's first
  /// instruction where the disk was made for this very boot: nothing was ever written to it.
  package func removesInstance(after outcome: Outcome) -> Bool {
    guard removeOnShutdown, outcome.token == token else { return false }
    // What nobody saw may have been a reset or a panic, where QEMU was told to end then.
    if outcome.result == .unknown, QEMUArguments(command).mayEndWithoutShutdown { return false }
    return outcome.isConfirmedShutdown || isFirst && outcome.result == .failedToStart
  }

  /// A boot that this process begins.
  ///
  /// - Parameters:
  ///   - files: The instance's.
  ///   - runtimeFolder: The folder of the sockets; nil where they are beside the disk.
  ///   - removeOnShutdown: Whether the instance is to be removed once its shutdown is confirmed.
  ///   - shutdownTimeout: How long the guest may take to power off, in seconds.
  ///   - isFirst: Whether the disk was made for this very boot.
  ///   - consoleCut: How many of the console's first bytes were removed since the boot before.
  /// - Returns: Its record, before QEMU has started.
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
    // What stands there of an instance that is made for this boot is the intention of it.
    if !isFirst, let last = (try? read(files.boot)) ?? nil {
      record.follow(last, consoleCut: consoleCut)
    }
    return record
  }

  /// Takes over what the boot before knew of the console's log.
  mutating func follow(_ last: BootRecord, consoleCut: Int) {
    let starts = (last.earlier + [last.consoleOffset]).map { $0 - consoleCut }
    // The end of one is the beginning of the next: those with nothing left are forgotten.
    let ends = Array(starts.dropFirst()) + [consoleOffset]
    let firstKept = ends.firstIndex { $0 > 0 } ?? ends.endIndex
    earlier = Array(starts[firstKept...].suffix(Self.mostEarlier))
    number = last.number + 1
  }

  package var json: JSONValue {
    var object: JSONObject = [
      "schema": .integer(Int64(Self.schema)), "boot": .string(token),
      "hostBootId": .string(hostBootID), "startedAt": .string(startedAt.description),
      "removeOnShutdown": .bool(removeOnShutdown),
      "shutdownTimeout": .integer(Int64(shutdownTimeout)),
      "supervisorPid": .integer(Int64(supervisorPid)),
      "supervisorStart": .integer(Int64(supervisorStart)),
      "command": .array(command.map(JSONValue.string)),
      "consoleOffset": .integer(Int64(consoleOffset)), "isFirst": .bool(isFirst),
    ]
    if number > 1 { object["number"] = .integer(Int64(number)) }
    if !earlier.isEmpty {
      object["earlierConsoleOffsets"] = .array(earlier.map { .integer(Int64($0)) })
    }
    object["runtimeFolder"] = runtimeFolder.map(JSONValue.string)
    object["pidNamespace"] = pidNamespace.map(JSONValue.string)
    object["supervisorNamespace"] = supervisorNamespace.map(JSONValue.string)
    object["lock"] = lock.map(JSONValue.string)
    object["pid"] = pid.map { .integer(Int64($0)) }
    object["start"] = start.map { .integer(Int64($0)) }
    object["accelerator"] = accelerator.map(JSONValue.string)
    object["qemuVersion"] = qemuVersion.map(JSONValue.string)
    object["sshAddress"] = sshAddress.map(JSONValue.string)
    object["sshPort"] = sshPort.map { .integer(Int64($0)) }
    if blocksSignals { object["blocksSignals"] = .bool(true) }
    return .object(object)
  }

  /// Reads the last boot of an instance; nil if it was never booted.
  ///
  /// - Throws: ``JSONFileError`` for a file that is torn, or from a newer qvm.
  package static func read(_ path: String) throws(JSONFileError) -> BootRecord? {
    guard let json = try JSONFile.read(path) else { return nil }
    try json.checkSchema(schema, path)
    guard let startedAt = Timestamp(try json.text("startedAt", path)) else {
      throw .missing(member: "startedAt", path: path)
    }
    return BootRecord(
      token: try json.text("boot", path), hostBootID: try json.text("hostBootId", path),
      startedAt: startedAt,
      removeOnShutdown: json["removeOnShutdown"]?.bool ?? false,
      shutdownTimeout: try json.number("shutdownTimeout", path),
      supervisorPid: Int32(clamping: try json.number("supervisorPid", path)),
      supervisorStart: UInt64(clamping: try json.number("supervisorStart", path)),
      pid: json["pid"]?.int.map(Int32.init(clamping:)),
      start: json["start"]?.int.map(UInt64.init(clamping:)),
      command: json["command"]?.array?.compactMap(\.string) ?? [],
      accelerator: json["accelerator"]?.string, qemuVersion: json["qemuVersion"]?.string,
      sshAddress: json["sshAddress"]?.string, sshPort: json["sshPort"]?.int,
      consoleOffset: max(0, try json.number("consoleOffset", path)),
      runtimeFolder: json["runtimeFolder"]?.string, pidNamespace: json["pidNamespace"]?.string,
      supervisorNamespace: json["supervisorNamespace"]?.string, lock: json["lock"]?.string,
      isFirst: json["isFirst"]?.bool ?? false,
      blocksSignals: json["blocksSignals"]?.bool ?? false, number: max(1, json["number"]?.int ?? 1),
      earlier: json["earlierConsoleOffsets"]?.array?.compactMap(\.int) ?? [])
  }
}
