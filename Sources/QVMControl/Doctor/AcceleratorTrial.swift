internal import QMPClient

/// Tries one QEMU with one accelerator by running a guest.
///
/// A QEMU for x86-64 boots the demo guest and shuts it down. There is no demo guest for arm64, so a
/// QEMU for arm64 runs its firmware for a moment.
///
/// The monitor and the console are descriptors, not paths. So a trial leaves no socket behind, even
/// if it is killed.
struct AcceleratorTrial: Sendable {
  let toolchain: QEMUToolchain
  let accelerator: String
  /// A folder for the guest's disk and QEMU's log. The caller removes it.
  let folder: String
  let loop: EventLoop
  /// The timeout of the whole trial. The demo guest takes about a second, even without
  /// acceleration.
  var limit = Duration.seconds(20)
  /// The timeout with a firmware that is known to be slow.
  static let limitForSlow = Duration.seconds(60)

  /// How long the firmware runs. A QEMU that can't run its first instructions fails within this
  /// time.
  private static let moment = Duration.milliseconds(300)

  /// The stages of a trial.
  enum Stage { case starting, booting, poweringOff, runningFirmware, quitting }

  /// Whether the demo guest can be booted.
  var hasGuest: Bool { toolchain.target == Architecture.x86_64.qemuTarget }

  var disk: String { "\(folder)/disk.raw" }
  private var log: String { "\(folder)/qemu.log" }

  /// Runs the guest and ends it. No process is left when it returns or throws.
  ///
  /// - Throws: `CancellationError`; why QEMU could not be spawned.
  func run() async throws -> AcceleratorReport.Finding {
    if hasGuest {
      try Files.write(DemoGuestImage.bytes, to: disk)
      try Files.setSize(DemoGuestImage.diskSize, of: disk)
    }
    let (child, monitor, console) = try start()
    let began = SuspendingClock.now
    return try await withTaskCancellationHandler {
      var deadline = began.advanced(by: limit)
      // The exit of QEMU closes both sockets, which ends every wait.
      var timer = loop.schedule(at: deadline) { child.signal(.kill) }
      defer { loop.cancel(timer) }
      var limit = limit
      var stage = Stage.starting
      var version: String?
      var readyAfter: Duration?
      var failure: String?
      do {
        let client = try await QMPClient.connect(
          over: SocketTransport(monitor), on: loop, timeout: limit)
        let greeted = await client.greeting?.version
        version = greeted?.description
        if hasGuest, let greeted,
          Firmware.bios.slowness(Firmware.bios.path(in: toolchain.root), with: greeted) != nil
        {
          loop.cancel(timer)
          limit = Self.limitForSlow
          deadline = began.advanced(by: limit)
          timer = loop.schedule(at: deadline) { child.signal(.kill) }
        }
        stage = hasGuest ? .booting : .runningFirmware
        try await client.execute(Cont(), timeout: limit)
        if !hasGuest {
          try await runForMoment(client)
          readyAfter = began.duration(to: .now)
          stage = .quitting
          try await quit(client)
        } else if try await isReady(console, until: deadline) {
          readyAfter = began.duration(to: .now)
          stage = .poweringOff
          try await client.execute(SystemPowerdown(), timeout: limit)
          // The console ends when QEMU exits. The guest's output must be read until then.
          while try await !receive(console, until: deadline).isEmpty {}
        }
        await client.close()
      } catch {
        failure = "\(error)"
        // After the monitor hung up, QEMU exits by itself. Its own exit status says more than
        // SIGKILL would.
        if Self.isLiving(error) { child.signal(.kill) }
      }
      let end = await withCheckedContinuation { continuation in
        child.whenEnded { continuation.resume(returning: $0) }
      }
      try Task.checkCancellation()
      if let readyAfter, end == .exited(0) {
        return hasGuest
          ? .works(version: version, seconds: readyAfter.inSeconds) : .starts(version: version)
      }
      let log = QEMULog(path: log).tail(6)
      let own = log.isEmpty && end == .signalled(Signal.kill.rawValue) ? failure.map { [$0] } : nil
      let hasTimedOut = SuspendingClock.now >= deadline
      return .fails(
        version: version,
        why: [Self.explanation(stage, end, exceeded: hasTimedOut ? limit : nil)] + (own ?? log),
        advice: AcceleratorReport.advice(for: log, accelerator))
    } onCancel: {
      child.signal(.kill)
    }
  }

  private func runForMoment(_ client: QMPClient) async throws {
    try await loop.sleep(until: .now.advanced(by: Self.moment))
    let state = try await client.execute(QueryStatus(), timeout: limit).status
    guard state == .running else { throw UnexpectedState(state: state) }
  }

  private func quit(_ client: QMPClient) async throws {
    // QEMU may hang up before its reply.
    do { try await client.execute(Quit(), timeout: limit) } catch QMPError.disconnected {}
  }

  private struct UnexpectedState: Error, CustomStringConvertible {
    let state: RunState
    var description: String { "its run state is '\(state)'" }
  }

  private func start() throws -> (ChildProcess, monitor: Descriptor, console: Descriptor) {
    let log = try Files.openForOutput(log, append: false)
    let (monitor, monitorEnd) = try SocketCalls.pair()
    let (console, consoleEnd) = try SocketCalls.pair()
    let arguments = try command()
    let child = try ChildProcess(
      .init(
        arguments[0], Array(arguments.dropFirst()),
        descriptors: [nil, log, log, monitorEnd, consoleEnd],
        ownSession: true))
    TrialFolder.note(child.pid, in: folder)
    return (child, monitor, console)
  }

  private static func isLiving(_ error: any Error) -> Bool {
    switch error as? QMPError {
    case .disconnected, .transport: false
    default: true
    }
  }

  /// Whether the guest reports that it is ready before its console ends.
  private func isReady(
    _ console: Descriptor, until deadline: SuspendingClock.Instant
  ) async throws -> Bool {
    var match = ConsoleMatch("\nready")
    while !match.isFound {
      let bytes = try await receive(console, until: deadline)
      if bytes.isEmpty { return false }
      match.read(bytes)
    }
    return true
  }

  /// The next bytes of the console; empty at its end and after the deadline.
  private func receive(
    _ console: Descriptor, until deadline: SuspendingClock.Instant
  ) async throws -> [UInt8] {
    while true {
      switch SocketCalls.receive(console.number) {
      case .bytes(let bytes): return bytes
      case .closed, .failed: return []
      case .wouldBlock:
        guard try await loop.ready(console.number, for: .read, until: deadline) else { return [] }
      }
    }
  }
}

/// QEMU's command line for a trial with exactly one accelerator.
extension AcceleratorTrial {
  static let monitorDescriptor = 3
  static let consoleDescriptor = 4

  func command() throws -> [String] {
    let arguments = try hasGuest ? demo() : machine()
    // swift-format-ignore
    return arguments.settingAccelerators([accelerator]).words + [
      "-S",
      "-chardev", "socket,id=doctor,fd=\(Self.monitorDescriptor)",
      // Shorter than a VM's, and valid for every version of QEMU, because this one's isn't known
      // yet.
      "-qmp", "chardev:doctor",
      "-chardev", "socket,id=console,fd=\(Self.consoleDescriptor)",
      "-serial", "chardev:console",
    ]
  }

  /// The demo driver's command line.
  ///
  /// The disk is a raw file, so that a missing qemu-img isn't reported as a failing accelerator.
  /// QEMU picks the port, so that it conflicts with no other program.
  private func demo() throws -> QEMUArguments {
    let driver = Driver.demoX8664.command(DriverPaths(cache: toolchain.root, image: disk))
    let arguments = driver.map { $0.replacingSuffix("format=qcow2", with: "format=raw") }
    return try QEMUArguments(arguments).settingProgram(toolchain.program).settingForwardedPort(0)
  }

  /// The arm64 drivers' machine with only its firmware.
  private func machine() -> QEMUArguments {
    // swift-format-ignore
    QEMUArguments([
      toolchain.program,
      "-nodefaults",
      "-machine", "type=virt",
      // A CPU model of every accelerator.
      "-cpu", "max",
      "-m", "256M",
      "-display", "none",
      "-bios", Firmware.uefi.path(in: toolchain.root),
    ])
  }
}

extension String {
  fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) + other : self
  }
}

extension AcceleratorTrial {
  /// A sentence about a trial that failed at a stage.
  ///
  /// - Parameters:
  ///   - stage: The stage.
  ///   - end: QEMU's.
  ///   - exceeded: The timeout, if it was exceeded; else nil.
  /// - Returns: The sentence.
  static func explanation(_ stage: Stage, _ end: ProcessEnd, exceeded: Duration?) -> String {
    let limit = "\(Int((exceeded ?? .zero).inSeconds.rounded(.up))) s"
    return switch (stage, exceeded != nil) {
    case (.starting, true): "QEMU's monitor did not respond within \(limit)"
    case (.booting, true): "the guest was not ready within \(limit)"
    case (.poweringOff, true): "the guest did not power off within \(limit)"
    case (.runningFirmware, true): "the firmware did not run within \(limit)"
    case (.quitting, true): "QEMU did not quit within \(limit)"
    case (.starting, false): "QEMU exited before the guest ran: \(end)"
    case (.booting, false): "QEMU exited before the guest was ready: \(end)"
    case (.runningFirmware, false): "the firmware stopped running: \(end)"
    case (.poweringOff, false), (.quitting, false): "QEMU did not exit properly: \(end)"
    }
  }
}
