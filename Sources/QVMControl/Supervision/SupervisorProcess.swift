package import QMPClient

/// The process that supervises one VM: this executable, started again in a session of its own.
package enum SupervisorProcess {
  /// The word that makes this executable a supervisor.
  package static let command = "__supervise"

  /// The word after it that has another process started, which is the supervisor, and ends at once: that
  /// one is an orphan then. A signal to all descendants of a job doesn't reach it.
  private static let startingWord = "start"

  /// The descriptors that it is given: the connection to the command that started it, and the locks.
  private static let launcherDescriptor: Int32 = 3
  private static let supervisorLockDescriptor: Int32 = 4
  private static let vmLockDescriptor: Int32 = 5

  // MARK: - Starting one

  /// A supervisor that waits to be told what to do; it ends with the command that
  /// started it, or with this.
  package struct Standby: Sendable {
    /// How long it may take to read what a long command line has more than a socket takes at once.
    private static let timeout = Duration.seconds(10)

    fileprivate let connection: Descriptor

    /// Tells it what to do.
    ///
    /// - Parameter plan: What to do.
    /// - Returns: The connection to it.
    /// - Throws: ``StartError`` where it is gone, or hangs.
    package func tell(_ plan: LaunchPlan) throws(StartError) -> Descriptor {
      var unsent = plan.json.bytes + [0x0A]
      let deadline = SuspendingClock.now.advanced(by: Self.timeout)
      while !unsent.isEmpty {
        switch unsent.withUnsafeBytes({ SocketCalls.send(connection.number, $0) }) {
        case .bytes(let count): unsent.removeFirst(count)
        case .wouldBlock:
          guard SocketCalls.wait(connection.number, for: .write, until: deadline) else {
            throw .other(message: "the supervisor does not listen", advice: "Try again.")
          }
        case .closed, .failed: throw failure
        }
      }
      return connection
    }

    /// Why it is gone, in its own words where it had time for some.
    private var failure: StartError {
      if case .bytes(let bytes) = SocketCalls.receive(connection.number),
        let line = bytes.split(separator: 0x0A).first,
        let json = try? JSONValue(parsing: Array(line)),
        case .failed(let message, let advice, _) = ControlEvent(json)
      {
        return .other(message: message, advice: advice)
      }
      return .other(
        message: "the supervisor was killed before its work began", advice: "Try again.")
    }
  }

  /// Starts a supervisor.
  ///
  /// It takes milliseconds to get ready, which need not be waited for where there is something else
  /// to do meanwhile.
  ///
  /// - Parameters:
  ///   - files: The instance's; their folder may get another name later.
  ///   - supervisorLock: The lock that it holds from now on.
  ///   - vmLock: The lock that it and QEMU hold from now on; nil to adopt a running QEMU.
  /// - Returns: The supervisor.
  /// - Throws: ``SpawnError``, ``FileError``, `SystemError`.
  package static func start(
    files: InstanceFiles, supervisorLock: FileLock, vmLock: FileLock?
  ) throws -> Standby {
    Host.keepDescriptorsFromChildren()
    let (ours, theirs) = try SocketCalls.pair()
    let log = try Files.openForOutput(files.supervisorLog, append: true)
    var descriptors = [nil, nil, log, theirs, supervisorLock.descriptor]
    if let vmLock { descriptors.append(vmLock.descriptor) }
    _ = try ChildProcess(
      .init(
        Host.executable, [command, startingWord], descriptors: descriptors, ownSession: true))
    return Standby(connection: ours)
  }

  // MARK: - Being one

  /// Starts the supervisor, with all that this process was given.
  private static func startOrphaned() -> Int32 {
    var descriptors = [nil, nil, Host.copy(of: 2)]
    for number in [launcherDescriptor, supervisorLockDescriptor, vmLockDescriptor] {
      if let descriptor = Host.inherited(number) { descriptors.append(descriptor) }
    }
    do throws(SpawnError) {
      _ = try ChildProcess.spawn(
        .init(Host.executable, [command], descriptors: descriptors, ownSession: true))
      return 0
    } catch {
      SupervisorLog.write(error.message)
      if descriptors.count > 3, let launcher = descriptors[3] {
        tell(launcher, error.message, advice: error.advice)
      }
      return 1
    }
  }

  /// Supervises as the inherited connection says.
  ///
  /// - Parameter arguments: What follows ``command`` on its command line.
  /// - Returns: The exit status of the process.
  package static func run(_ arguments: [String]) -> Int32 {
    if arguments == [startingWord] { return startOrphaned() }
    // And so does QEMU.
    Host.leaveWorkingFolder()
    CoreDump.forbidUnlessWanted()
    // The command that started this may be a service; QEMU isn't.
    _ = NotifySocket.takeFromEnvironment()
    guard let launcher = Host.inherited(launcherDescriptor),
      let lockDescriptor = Host.inherited(supervisorLockDescriptor)
    else { return misused() }
    let vmLockDescriptor = Host.inherited(vmLockDescriptor)
    // Got ready before it is needed; a failure is reported once the launcher listens.
    let loop = Result { try EventLoop() }
    let received = firstLine(from: launcher)
    // The launcher ended before there was anything to do.
    if case .none = received { return 0 }
    guard case .line(let line, let rest) = received,
      let plan = (try? JSONValue(parsing: line)).flatMap(LaunchPlan.init),
      let name = try? InstanceName(plan.name)
    else { return misused() }
    let files = InstanceStore(Cache(path: plan.cache)).files(name)
    let supervisorLock = FileLock(inherited: lockDescriptor, path: files.supervisorLock)
    let vmLock =
      plan.kind == .adopt
      ? nil : vmLockDescriptor.map { FileLock(inherited: $0, path: files.vmLock) }
    do {
      let loop = try loop.get()
      let boot = plan.kind == .boot ? newBoot(plan, files) : try oldBoot(files)
      try loop.run {
        let supervisor = Supervisor(
          plan: plan, name: name, boot: boot, vmLock: vmLock, supervisorLock: supervisorLock,
          loop: loop)
        let inputs = supervisor.inputs
        let runtime = plan.runtime(files)
        await supervisor.run(launcher: launcher, received: rest) { boot in
          guard let vmLock else {
            return try await Adoption.adopt(
              boot, files: files, runtime: runtime, on: loop,
              notify: { inputs.send(.notice($0)) })
          }
          let startup = QEMULauncher(
            plan: plan, name: name, files: files, runtime: runtime, vmLock: vmLock, loop: loop,
            notify: { inputs.send(.notice($0)) },
            // Its record says more than its launcher's note.
            begun: { supervisorLock.replaceContent(with: "") })
          return try await startup.start(boot)
        }
      }
      return 0
    } catch {
      let message = error.messageForUser
      SupervisorLog.write(message)
      tell(launcher, message)
      return 1
    }
  }

  /// Tells a launcher what keeps its supervisor from working.
  private static func tell(_ launcher: Descriptor, _ message: String, advice: String? = nil) {
    let line = ControlEvent.failed(message: message, advice: advice, status: 1).json.bytes + [0x0A]
    _ = line.withUnsafeBytes { SocketCalls.send(launcher.number, $0) }
  }

  private static func misused() -> Int32 {
    SupervisorLog.write("\(command) is for qvm itself")
    return ExitStatus.usage.rawValue
  }

  /// What a launcher has said.
  private enum Words {
    /// Its first line, and what it has sent after that.
    case line([UInt8], rest: [UInt8])
    /// It came to an end without a word.
    case none
    /// It isn't one.
    case nonsense
  }

  /// Waits for the launcher's first line. Its end is the only limit: it may be stopped for as long as
  /// its user likes while it makes the disk.
  private static func firstLine(from launcher: Descriptor) -> Words {
    var received: [UInt8] = []
    while true {
      switch SocketCalls.receive(launcher.number) {
      case .bytes(let bytes):
        received.append(contentsOf: bytes)
        guard let newline = received.firstIndex(of: 0x0A) else { continue }
        return .line(Array(received[..<newline]), rest: Array(received[(newline + 1)...]))
      case .wouldBlock:
        _ = SocketCalls.wait(
          launcher.number, for: .read, until: .now.advanced(by: .seconds(86_400)))
      case .closed where received.isEmpty: return .none
      case .closed, .failed: return .nonsense
      }
    }
  }

  private static func newBoot(_ plan: LaunchPlan, _ files: InstanceFiles) -> BootRecord {
    BootRecord.beginning(
      files, runtimeFolder: plan.runtimeFolder, removeOnShutdown: plan.removeOnShutdown,
      shutdownTimeout: plan.shutdownTimeout, isFirst: plan.isFirst,
      consoleCut: plan.consoleCut)
  }

  private static func oldBoot(_ files: InstanceFiles) throws -> BootRecord {
    guard var boot = try BootRecord.read(files.boot) else {
      throw JSONFileError.missing(member: "boot", path: files.boot)
    }
    boot.supervisorPid = Host.processID
    boot.supervisorNamespace = Host.pidNamespace
    boot.supervisorStart = Host.startTime(of: Host.processID) ?? 0
    // For commands that ask for the pid; a disk that is full doesn't keep the VM from being ended.
    try? JSONFile.write(boot.json, to: files.boot, isLasting: false)
    return boot
  }
}
