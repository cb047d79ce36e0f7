import QMPClient
import QVMControl

/// Runs a launch for `run` and `start`, in the foreground or detached.
enum LaunchRunner {
  /// Boots the VM and stays with it, with `request` to choose its version first, and `link` to tell a
  /// matrix how far it is.
  static func run(
    _ launch: Launch, detaches: Bool, isQuiet: Bool, escape: EscapeKey, task: GuestTask? = nil,
    files: CommandFiles = CommandFiles(),
    readyTimeout: Duration = GuestCommandSession.defaultReadyTimeout,
    choosing request: TargetRequest? = nil, link: MatrixLink? = nil
  ) throws -> ExitStatus {
    // Taken even if it is not used, so that no child process acts as the service.
    let manager = ServiceNotifier.fromEnvironment()
    let notifier = detaches ? nil : manager
    let signals = Mailbox<Signal>()
    Signal.handle(Signal.ofSessions) { signals.send($0) }
    let loop = try EventLoop()
    return try loop.run {
      link?.passSignals(to: signals, on: loop)
      if task != nil { try await GuestSSH.checkClient(on: loop) }
      var launch = launch
      if let request {
        let client = try ReleaseClient.forTerminal(launch.cache, isQuiet: isQuiet, on: loop)
        launch.target = try await SignalCancellation.cancelling(on: signals, loop) {
          var choice = TargetChoice(with: client)
          return try await choice.target(request)
        }
      }
      if detaches { return try await detached(launch, isQuiet: isQuiet, signals, loop) }
      let launched = try await start(
        launch, waitsForConsole: task == nil, notifier, isQuiet: isQuiet, signals, loop)
      if let task {
        let session = GuestCommandSession(launched, task, notifier: notifier, loop: loop)
        session.files = files
        if !isQuiet, Terminal.isTerminal(2) {
          session.files.progress = ProgressDisplay(of: .copy).reporter
          if let line = BootLine.forTerminal() { session.showBoot = { line.show($0) } }
        }
        session.isQuiet = isQuiet
        session.readyTimeout = readyTimeout
        if let link { session.reached = { link.report($0) } }
        return await session.run(signals: signals)
      }
      if !isQuiet, Output.isTerminal, let login = launch.target.operatingSystem.login {
        Output.note("qvm: at the guest's login prompt: user '\(login.user)', \(login.password)\n")
      }
      let session = ForegroundSession(
        launched, escape: escape, notifier: notifier, loop: loop)
      session.isQuiet = isQuiet
      session.wayIn = wayIn(launched.name.text, launch.target)
      return await session.run(signals: signals)
    }
  }

  /// Boots several instances in the background, one after the other.
  ///
  /// - Returns: The exit status of the first one that failed. The others are booted nevertheless.
  static func detached(_ launches: [Launch], isQuiet: Bool) throws -> ExitStatus {
    _ = ServiceNotifier.fromEnvironment()
    let signals = Mailbox<Signal>()
    Signal.handle(Signal.ofSessions) { signals.send($0) }
    let loop = try EventLoop()
    return try loop.run {
      var failure: ExitStatus?
      for launch in launches {
        do {
          let status = try await detached(launch, isQuiet: isQuiet, signals, loop)
          // The signal was meant for the command.
          if status == .interrupted { return status }
          if status != .done { failure = failure ?? status }
        } catch let error as any UserFacingError {
          // The names of the others could not be printed either.
          if error is OutputError { throw error }
          Output.report(error)
          failure = failure ?? error.exitStatus
        }
      }
      return failure ?? .done
    }
  }

  private static func detached(
    _ launch: Launch, isQuiet: Bool, _ signals: Mailbox<Signal>, _ loop: EventLoop
  ) async throws -> ExitStatus {
    var start = DetachedStart(
      try await start(launch, waitsForConsole: false, nil, isQuiet: isQuiet, signals, loop),
      loop: loop)
    start.isQuiet = isQuiet
    let login = launch.target.operatingSystem.login
    return try await start.run(signals: signals) {
      Output.note("qvm: \($0)\n")
    } print: { name in
      try Output.print("\(name)\n")
      if !isQuiet { Output.note("qvm: \(nextSteps(name, login))\n") }
    }
  }

  /// How another terminal gets into a guest whose console is on this one; nil if there is no other way, or
  /// if no person reads it.
  static func wayIn(_ name: String, _ target: Target?) -> String? {
    guard Output.isTerminal, Terminal.isTerminal(2), let login = target?.operatingSystem.login
    else { return nil }
    return "in another terminal, 'qvm ssh \(name)' \(login.sentence)"
  }

  /// How to get into an instance that runs in the background, and how to end it.
  static func nextSteps(_ name: String, _ login: OperatingSystem.Login?) -> String {
    let way =
      login.map { "'qvm ssh \(name)' \($0.sentence)" } ?? "'qvm attach \(name)' shows its console"
    return "\(way). 'qvm stop \(name)' shuts it down"
  }

  /// Starts a VM, and reports what the user should know about it.
  private static func start(
    _ launch: Launch, waitsForConsole: Bool, _ notifier: ServiceNotifier?, isQuiet: Bool,
    _ signals: Mailbox<Signal>, _ loop: EventLoop
  ) async throws -> SupervisedVM {
    let client = try ReleaseClient.forTerminal(
      launch.cache, notifier, isQuiet: isQuiet, on: loop)
    let launched = try await SignalCancellation.cancelling(on: signals, loop) {
      try await launch.start(waitsForConsole: waitsForConsole, with: client)
    }
    // Once for each instance: later it is known, and repeated it would no longer be read.
    if launched.exposesSSH, launched.isFirstBoot, launch.target.operatingSystem.sshUser != nil,
      !isQuiet
    {
      Output.note(
        "qvm: other machines can reach the guest's ssh server through this one."
          + " --ssh-address 127.0.0.1 prevents that, and QVM_SSH_ADDRESS=127.0.0.1 does so for all\n"
      )
    }
    if !isQuiet, !launch.mustExist {
      for notice in launch.overrides.published.compactMap(\.exposureNotice) {
        Output.note("qvm: \(notice)\n")
      }
    }
    return launched
  }
}
