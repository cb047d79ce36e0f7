internal import QMPClient

/// One QEMU with one accelerator, tried by booting the built-in guest and shutting it down.
///
/// QEMU has no path to be found by: its monitor and its console are descriptors, so that a trial
/// leaves no socket, whatever ends it.
struct AcceleratorTrial: Sendable {
  static let monitorDescriptor = 3
  static let consoleDescriptor = 4
  /// For all of it; a guest of one sector takes about a second, without acceleration too.
  static let limit = Duration.seconds(20)

  let toolchain: QEMUToolchain
  let accelerator: String
  /// A folder for the guest's disk and QEMU's log, which somebody else removes.
  let folder: String
  let loop: EventLoop

  /// How far it came.
  private enum Stage: String { case starting, booting, poweringOff }

  private var disk: String { "\(folder)/disk.raw" }
  private var log: String { "\(folder)/qemu.log" }

  /// The demo driver's command for exactly this accelerator.
  ///
  /// The disk is a plain file, so that a missing qemu-img is not told as an accelerator that fails,
  /// and the port is one that QEMU picks, so that nobody is disturbed.
  func command() throws -> [String] {
    let driver = Driver.demoX8664.command(DriverPaths(cache: toolchain.root, image: disk))
    let words = driver.map { $0.replacingSuffix("format=qcow2", with: "format=raw") }
    let arguments = try QEMUArguments(words).settingProgram(toolchain.program)
      .settingAccelerators([accelerator]).settingForwardedPort(0)
    // swift-format-ignore
    return arguments.words + [
      "-S",
      "-chardev", "socket,id=doctor,fd=\(Self.monitorDescriptor)",
      "-mon", "chardev=doctor,mode=control",
      "-chardev", "socket,id=console,fd=\(Self.consoleDescriptor)",
      "-serial", "chardev:console",
    ]
  }

  /// Boots and shuts down; no process is left when it returns or throws.
  ///
  /// - Throws: `CancellationError`; what keeps QEMU from being started.
  func run() async throws -> AcceleratorFinding.Result {
    try Files.write(DemoGuestImage.bytes, to: disk)
    try Files.setSize(DemoGuestImage.diskSize, of: disk)
    let (child, monitor, console) = try start()
    let began = SuspendingClock.now
    let deadline = began.advanced(by: Self.limit)
    // Its end closes both sockets, which ends every wait.
    let timer = loop.schedule(at: deadline) { child.signal(.kill) }
    defer { loop.cancel(timer) }
    return try await withTaskCancellationHandler {
      var stage = Stage.starting
      var version: String?
      var readyAfter: Duration?
      var failure: String?
      do {
        let client = try await QMPClient.connect(
          over: SocketTransport(monitor), on: loop, timeout: Self.limit)
        version = await client.greeting?.version.description
        stage = .booting
        try await client.execute(Cont(), timeout: Self.limit)
        if try await isReady(console, until: deadline) {
          readyAfter = began.duration(to: .now)
          stage = .poweringOff
          try await client.execute(SystemPowerdown(), timeout: Self.limit)
          // The end of the console is QEMU's; what the guest says meanwhile must be taken.
          while try await !receive(console, until: deadline).isEmpty {}
        }
        await client.close()
      } catch {
        failure = "\(error)"
        // A monitor that hung up ends by itself, and its status tells more than ours would.
        if Self.isLiving(error) { child.signal(.kill) }
      }
      let end = await withCheckedContinuation { continuation in
        child.whenEnded { continuation.resume(returning: $0) }
      }
      try Task.checkCancellation()
      if let readyAfter, end == .exited(0) {
        return .works(version: version, seconds: readyAfter.inSeconds)
      }
      let hasTimedOut = SuspendingClock.now >= deadline
      return Self.explain(
        stage, end, hasTimedOut, failure, QEMULog(path: log).tail(6), version, accelerator)
    } onCancel: {
      child.signal(.kill)
    }
  }

  private func start() throws -> (ChildProcess, monitor: Descriptor, console: Descriptor) {
    let log = try Files.openForOutput(log, append: false)
    let (monitor, monitorEnd) = try SocketCalls.pair()
    let (console, consoleEnd) = try SocketCalls.pair()
    let words = try command()
    let child = try ChildProcess(
      .init(
        words[0], Array(words.dropFirst()), descriptors: [nil, log, log, monitorEnd, consoleEnd],
        ownSession: true))
    return (child, monitor, console)
  }

  private static func isLiving(_ error: any Error) -> Bool {
    switch error as? QMPError {
    case .disconnected, .transport: false
    default: true
    }
  }

  /// Whether the guest says so before its console ends.
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

  /// What the console has next; nothing at its end and at the deadline.
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

  private static func explain(
    _ stage: Stage, _ end: ProcessEnd, _ hasTimedOut: Bool, _ failure: String?, _ log: [String],
    _ version: String?, _ accelerator: String
  ) -> AcceleratorFinding.Result {
    let seconds = Int(limit.inSeconds)
    let head =
      switch (stage, hasTimedOut) {
      case (.starting, true): "QEMU's monitor did not answer within \(seconds) s"
      case (.booting, true): "the guest was not ready within \(seconds) s"
      case (.poweringOff, true): "the guest did not power off within \(seconds) s"
      case (.starting, false): "QEMU ended before the guest ran: \(end)"
      case (.booting, false): "QEMU ended before the guest was ready: \(end)"
      case (.poweringOff, false): "QEMU did not end properly: \(end)"
      }
    let own = log.isEmpty && end == .signalled(Signal.kill.rawValue) ? failure.map { [$0] } : nil
    return .fails(
      version: version, why: [head] + (own ?? log),
      advice: AcceleratorFinding.advice(for: log, accelerator))
  }
}

extension String {
  fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) + other : self
  }
}
