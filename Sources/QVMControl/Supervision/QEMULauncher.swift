package import QMPClient

/// Starts QEMU and connects to its monitor. If QEMU fails for a cause that other arguments avoid (a port
/// that is taken, an accelerator that doesn't work), starts it again with those.
package struct QEMULauncher: Sendable {
  /// A VM whose guest has not executed an instruction yet.
  package struct Started: Sendable {
    package let process: VMProcess
    /// Nil if an adopted QEMU doesn't answer.
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
  /// Called with sentences for the user.
  package let notify: @Sendable (String) -> Void
  /// Called when `boot.json` describes this boot.
  package let begun: @Sendable () -> Void

  /// QEMU is started in the control group of this process.
  let memory = MemoryWatch(MemoryGroup(of: Host.processID))

  /// The timeout for the monitor's greeting, which normally comes within 0.1 s.
  var greetingTimeout = Duration.seconds(30)

  /// Starts QEMU. `boot` is written to `boot.json` before the start and completed after it. It is written
  /// even if the start fails, because the outcome refers to it.
  ///
  /// - Throws: ``StartError``, ``FileError``, ``RuntimeFolderError``, ``SpawnError`` or `SystemError`,
  ///   with no process left behind.
  package func start(_ boot: BootRecord) async throws -> Started {
    do {
      return try await startWhereItCan(boot)
    } catch {
      // It failed before the record was written, for example because no port was free.
      if files.bootToken != boot.token { try? begin(boot) }
      throw error
    }
  }

  /// Writes the boot's record. It need not survive a power failure yet: ``attempt(_:)`` writes it again
  /// before the guest's first instruction.
  private func begin(_ boot: BootRecord) throws(FileError) {
    try JSONFile.write(boot.json, to: files.boot, isLasting: false)
    begun()
  }

  /// Starts QEMU, and again with another port, monitor or accelerator if that was the cause of a failure.
  private func startWhereItCan(_ boot: BootRecord) async throws -> Started {
    var arguments = QEMUArguments(plan.command)
    var boot = boot
    let versions = KnownVersions(in: Cache(path: plan.cache))
    var version = await versions.version(of: arguments.program, on: loop)
    var ports = SSHPortChoice(plan)
    var publishing = PublishedPortChoice(plan)
    while true {
      arguments = try ports.applied(to: arguments)
      boot.published = try publishing.ports(besides: arguments.forwardedPort)
      boot.sshPort = arguments.forwardedPort
      boot.sshAddress = arguments.forwardedAddress.map { $0.isEmpty ? "0.0.0.0" : $0 }
      boot.command = command(
        try arguments.publishing(boot.published), boot.token, version)
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
        for port in boot.published where port.isChosen {
          notify("port \(port.hostText) leads to port \(port.guestPort) of the guest")
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
        if let port = boot.published.first(where: read.blames) {
          try publishing.refuse(port, because: error)
          continue
        }
        if read.blamesPortForward, let port = arguments.forwardedPort {
          try ports.refuse(port, of: arguments, because: error)
          continue
        }
        // The remembered version is wrong: the program is a script, unchanged, that starts another QEMU
        // now.
        if version != nil, read.blamesMonitorObject {
          version = nil
          continue
        }
        guard read.blamesAccelerator, arguments.acceleratorList.count > 1,
          arguments.acceleratorList.contains("tcg")
        else { throw error }
        // The guest has executed no instruction, so the start can be repeated.
        notify(
          "the accelerator failed (\(Self.shortest(read.lines))); starting again without it"
            + " (accel=tcg, slower)")
        arguments = arguments.settingAccelerators(["tcg"])
      }
    }
  }

  /// The first line that names an error, else the last one, without its prefix and shortened.
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

  /// Starts QEMU once, and waits until its monitor answers or its process has ended.
  private func attempt(_ boot: BootRecord) async throws -> Started {
    var boot = boot
    try begin(boot)
    try runtime.prepare(forBoot: boot.token)
    // QEMU would overwrite a file that is already there, and remove it when it exits.
    for path in files.pidFiles { try Files.remove(path) }
    let (child, monitor) = try spawn(boot.command)
    do {
      boot.pid = child.pid
      boot.start = Host.startTime(of: child.pid)
      boot.blocksSignals = true
      // This is synced to the disk while QEMU initialises, so it costs no time. It must be there before
      // the guest's first instruction, so that after a power failure the next command knows of the boot.
      try JSONFile.write(boot.json, to: files.boot)
      try InstanceStore.outlast(files)
      return try await negotiate(child, monitor, boot)
    } catch {
      throw await ended(child, because: error)
    }
  }

  /// These signals end QEMU at once, which is a power cut for the guest. A service manager or a terminal
  /// sends them to all processes of a job. Only the supervisor shall act on them, by having the guest
  /// power off. QEMU keeps the signal mask that it is started with.
  private static let blockedSignals: [Signal] = [.terminate, .interrupt, .hangUp]

  /// Spawns QEMU. Once this returns, only QEMU has the other end of the monitor's socket, so that its
  /// end shows as an end of file.
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
    boot.accelerator = try await ActiveAccelerator(
      client: client, arguments: QEMUArguments(boot.command), log: files.qemuLog,
      timeout: greetingTimeout
    ).name(version)
    // Not synced: after a power failure, the version and the accelerator don't matter.
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
