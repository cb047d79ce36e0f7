package import QMPClient

/// Starts QEMU and has its monitor answer, with another try where that can mend what failed.
package struct QEMULauncher: Sendable {
  /// A VM whose guest has not executed an instruction yet.
  package struct Started: Sendable {
    package let process: VMProcess
    /// nil where a QEMU that was taken over doesn't answer.
    package let client: QMPClient?
    package let events: QMPEvents?
    package let boot: BootRecord
  }

  package let plan: LaunchPlan
  package let name: InstanceName
  package let files: InstanceFiles
  package let runtime: RuntimeFolder
  package let vmLock: FileLock
  package let loop: EventLoop
  /// Called with what the user should know.
  package let notify: @Sendable (String) -> Void
  /// Called when the boot is on record.
  package let begun: @Sendable () -> Void

  /// QEMU shares this process's group.
  let memory = MemoryWatch(MemoryGroup(of: Host.processID))

  /// How long QEMU may take until its monitor answers; it takes a few dozen milliseconds.
  var greetingTimeout = Duration.seconds(30)
  /// The ports that are tried, from the driver's own.
  static let portsTried = 200

  /// Starts QEMU; `boot` holds what is known so far and is written before and after, whatever comes
  /// of it.
  ///
  /// - Throws: ``StartError``, ``FileError``, ``RuntimeFolderError``, ``SpawnError`` or `SystemError`,
  ///   with no process left behind.
  package func start(_ boot: BootRecord) async throws -> Started {
    do {
      return try await startWhereItCan(boot)
    } catch {
      // The outcome is this boot's, even where not so much as a port was to be had for it.
      if files.bootToken != boot.token { try? begin(boot) }
      throw error
    }
  }

  /// Puts a boot on record. That is made to last before the guest's first instruction.
  private func begin(_ boot: BootRecord) throws(FileError) {
    try JSONFile.write(boot.json, to: files.boot, isLasting: false)
    begun()
  }

  /// Starts QEMU, and once more with another port or accelerator where that was what it lacked.
  private func startWhereItCan(_ boot: BootRecord) async throws -> Started {
    var arguments = QEMUArguments(plan.command)
    var boot = boot
    let versions = KnownVersions(in: Cache(path: plan.cache))
    var version = await versions.version(of: arguments.program, on: loop)
    var takenPorts: Set<Int> = []
    while true {
      arguments = try choosePort(arguments, excluding: takenPorts)
      boot.sshPort = arguments.forwardedPort
      boot.sshAddress = arguments.forwardedAddress.map { $0.isEmpty ? "0.0.0.0" : $0 }
      boot.command = command(arguments, boot.token, version)
      do {
        let started = try await attempt(boot)
        if let told = await started.client?.greeting?.version {
          versions.note(told, of: arguments.program)
        }
        if let wanted = QEMUArguments(plan.command).forwardedPort, let port = boot.sshPort,
          port != wanted
        {
          notify("port \(wanted) is taken; the guest's ssh port is forwarded from port \(port)")
        }
        if let hint = KVMAccess.hint(
          running: started.boot.accelerator, QEMUArguments(plan.command))
        {
          notify(hint)
        }
        return started
      } catch let error as StartError {
        guard case .qemuEnded(_, let log, _) = error else { throw error }
        let read = QEMULog(text: log.joined(separator: "\n"))
        if read.blamesPortForward, let port = arguments.forwardedPort {
          if plan.isPortFixed {
            throw portTaken(arguments.forwardedAddress ?? "", port)
          }
          takenPorts.insert(port)
          if takenPorts.count >= Self.portsTried { throw error }
          continue
        }
        // The program's file is the same as ever, and starts another QEMU by now.
        if version != nil, read.blamesMonitorObject {
          version = nil
          continue
        }
        guard read.blamesAccelerator, arguments.acceleratorList.count > 1,
          arguments.acceleratorList.contains("tcg")
        else { throw error }
        // Nothing of the guest had run, so nothing is lost by starting once more.
        notify(
          "the accelerator failed (\(Self.shortest(read.lines))); starting again without it"
            + " (accel=tcg, slower)")
        arguments = arguments.settingAccelerators(["tcg"])
      }
    }
  }

  /// The line that says most, cut to a line's length.
  private static func shortest(_ lines: [String]) -> String {
    let line = lines.first { $0.contains("rror") || $0.contains("ailed") } ?? lines.last ?? ""
    let text = line.split(separator: ":", maxSplits: 1).last.map(String.init) ?? line
    return String(text.drop(while: \.isWhitespace).prefix(100))
  }

  private func command(
    _ arguments: QEMUArguments, _ token: String, _ version: QEMUVersion?
  ) -> [String] {
    arguments.words
      + MonitorArguments(
        name: name, files: files, runtime: runtime, boot: token, command: arguments,
        version: version
      ).arguments
  }

  /// One QEMU, until its monitor answers or it is gone.
  private func attempt(_ boot: BootRecord) async throws -> Started {
    var boot = boot
    try begin(boot)
    try runtime.prepare(forBoot: boot.token)
    // QEMU would take over or remove whatever is there.
    for path in files.pidFiles { try Files.remove(path) }
    let (child, monitor) = try spawn(boot.command)
    do {
      boot.pid = child.pid
      boot.start = Host.startTime(of: child.pid)
      boot.blocksSignals = true
      // Made to last while QEMU gets ready: no instruction of the guest has run yet.
      try JSONFile.write(boot.json, to: files.boot)
      try InstanceStore.outlast(files)
      return try await negotiate(child, monitor, boot)
    } catch {
      throw await ended(child, because: error)
    }
  }

  /// What ends QEMU at once, as by a power cut for its guest: those who send these to all processes of a
  /// job mean its supervisor, which has the guest power off. QEMU keeps the mask that it is started
  /// with.
  private static let blockedSignals: [Signal] = [.terminate, .interrupt, .hangUp]

  /// Starts QEMU; the other end of its monitor is its own alone once this returns, so that its
  /// death shows as an end of file.
  private func spawn(
    _ command: [String]
  ) throws -> (child: ChildProcess, monitor: Descriptor) {
    let log = try Files.openForOutput(files.qemuLog, append: false)
    let (ours, theirs) = try SocketCalls.pair()
    let child = try ChildProcess(
      .init(
        command[0], Array(command.dropFirst()),
        descriptors: [nil, log, log, theirs, vmLock.descriptor], ownSession: true,
        blockedSignals: Self.blockedSignals))
    return (child, ours)
  }

  private func negotiate(
    _ child: ChildProcess, _ monitor: Descriptor, _ boot: BootRecord
  ) async throws -> Started {
    var boot = boot
    let client = try await QMPClient.connect(
      over: try transport(monitor), on: loop, timeout: greetingTimeout)
    let events = await client.events()
    let version = await client.greeting?.version
    boot.qemuVersion = version?.description
    boot.accelerator = try await accelerator(of: client, version, QEMUArguments(boot.command))
    // After a power cut none of this matters any more.
    try JSONFile.write(boot.json, to: files.boot, isLasting: false)
    return Started(process: .child(child), client: client, events: events, boot: boot)
  }

  private func transport(_ monitor: Descriptor) throws -> any QMPTransport {
    let socket = SocketTransport(monitor)
    guard let path = plan.recording else { return socket }
    do throws(SystemError) {
      let recorder = try QMPRecorder(
        path: path, comments: ["recorded by 'qvm run --record-qmp', instance \(name)"])
      return RecordingTransport(wrapping: socket, to: recorder)
    } catch {
      throw StartError.other(
        message: "cannot record to \(path): \(error.explanation)",
        advice: "Name a file that can be written after --record-qmp.")
    }
  }
}
