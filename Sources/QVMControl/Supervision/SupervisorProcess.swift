package import QMPClient

/// The process that supervises one VM: this executable, started again in a session of its own.
package enum SupervisorProcess {
  /// The word that makes this executable a supervisor.
  package static let command = "__supervise"

  /// The descriptors that it is given: the connection to whoever started it, and the locks.
  private static let launcherDescriptor: Int32 = 3
  private static let supervisorLockDescriptor: Int32 = 4
  private static let vmLockDescriptor: Int32 = 5

  // MARK: - Starting one

  /// Starts a supervisor and tells it what to do.
  ///
  /// - Parameters:
  ///   - plan: What to do.
  ///   - files: The instance's.
  ///   - supervisorLock: The lock that it holds from now on.
  ///   - vmLock: The lock that it and QEMU hold from now on; nil to take over a running QEMU.
  /// - Returns: The connection to it.
  /// - Throws: ``SpawnError``, ``FileError``, `SystemError`, ``StartError``.
  package static func start(
    _ plan: LaunchPlan, files: InstanceFiles, supervisorLock: FileLock, vmLock: FileLock?
  ) throws -> Descriptor {
    Host.keepDescriptorsFromChildren()
    let (ours, theirs) = try SocketCalls.pair()
    let log = try Files.openForOutput(files.supervisorLog, append: true)
    var descriptors = [nil, nil, log, theirs, supervisorLock.descriptor]
    if let vmLock { descriptors.append(vmLock.descriptor) }
    _ = try ChildProcess(
      .init(Host.executable, [command], descriptors: descriptors, ownSession: true))
    let line = plan.json.bytes + [0x0A]
    // A command line is far shorter than the socket's buffer: nothing to wait for.
    guard case .bytes(line.count) = line.withUnsafeBytes({ SocketCalls.send(ours.number, $0) })
    else {
      throw StartError.other(message: "the supervisor does not listen", advice: nil)
    }
    return ours
  }

  // MARK: - Being one

  /// Supervises as the inherited connection says; the exit status of the process.
  package static func run() -> Int32 {
    // Whoever started this may be a service; QEMU isn't.
    _ = ServiceNotifier.fromEnvironment()
    guard let launcher = Host.inherited(launcherDescriptor),
      let lockDescriptor = Host.inherited(supervisorLockDescriptor),
      let (plan, rest) = readPlan(from: launcher), let name = try? InstanceName(plan.name)
    else {
      complain("\(command) is for qvm itself")
      return ExitStatus.usage.rawValue
    }
    let files = InstanceStore(Cache(path: plan.cache)).files(name)
    let supervisorLock = FileLock(inherited: lockDescriptor, path: files.supervisorLock)
    let vmLock =
      plan.kind == .adopt
      ? nil
      : Host.inherited(vmLockDescriptor).map { FileLock(inherited: $0, path: files.vmLock) }
    do {
      let loop = try EventLoop()
      let boot = plan.kind == .boot ? newBoot(plan, files) : try oldBoot(files)
      try loop.run {
        let supervisor = Supervisor(
          plan: plan, name: name, boot: boot, vmLock: vmLock, supervisorLock: supervisorLock,
          loop: loop)
        let inputs = supervisor.inputs
        let runtime = supervisor.runtime
        await supervisor.run(launcher: launcher, received: rest) { boot in
          guard let vmLock else {
            return try await Adoption.adopt(
              boot, files: files, runtime: runtime, on: loop,
              notify: { inputs.send(.notice($0)) })
          }
          let startup = Startup(
            plan: plan, name: name, files: files, runtime: runtime, vmLock: vmLock, loop: loop,
            notify: { inputs.send(.notice($0)) })
          // From here on an outcome is this boot's: before anything can fail. It is made to last
          // before the guest's first instruction.
          try JSONFile.write(boot.json, to: files.boot, isLasting: false)
          // It says more than its launcher's note.
          supervisorLock.replaceContent(with: "")
          try runtime.prepare()
          return try await startup.start(boot)
        }
      }
      return 0
    } catch {
      let message = (error as? any QVMFailure)?.message ?? "\(error)"
      complain(message)
      let line = ControlEvent.failed(message: message, advice: nil, status: 1).json.bytes + [0x0A]
      _ = line.withUnsafeBytes { SocketCalls.send(launcher.number, $0) }
      return 1
    }
  }

  private static func complain(_ text: String) {
    _ = Files.writeSome(Array("\(Timestamp.now) \(text)\n".utf8)[...], to: 2)
  }

  /// The plan, and what the launcher has sent after it.
  private static func readPlan(from launcher: Descriptor) -> (LaunchPlan, rest: [UInt8])? {
    var received: [UInt8] = []
    let deadline = SuspendingClock.now.advanced(by: .seconds(10))
    while SocketCalls.wait(launcher.number, for: .read, until: deadline) {
      guard case .bytes(let bytes) = SocketCalls.receive(launcher.number) else { return nil }
      received.append(contentsOf: bytes)
      guard let newline = received.firstIndex(of: 0x0A) else { continue }
      let json = try? JSONValue(parsing: Array(received[..<newline]))
      return json.flatMap(LaunchPlan.init).map { ($0, Array(received[(newline + 1)...])) }
    }
    return nil
  }

  private static func newBoot(_ plan: LaunchPlan, _ files: InstanceFiles) -> BootRecord {
    BootRecord.beginning(
      files, runtimeFolder: plan.runtimeFolder, removeOnShutdown: plan.removeOnShutdown,
      shutdownTimeout: plan.shutdownTimeout, isFirst: plan.isFirst)
  }

  private static func oldBoot(_ files: InstanceFiles) throws -> BootRecord {
    guard var boot = try BootRecord.read(files.boot) else {
      throw JSONFileError.missing(member: "boot", path: files.boot)
    }
    boot.supervisorPid = Host.processID
    boot.supervisorStart = Host.startTime(of: Host.processID) ?? 0
    // For those who ask for the pid; a disk that is full doesn't keep the VM from being ended.
    try? JSONFile.write(boot.json, to: files.boot, isLasting: false)
    return boot
  }
}
