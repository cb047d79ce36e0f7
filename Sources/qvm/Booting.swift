import QMPClient
import QVMControl

/// What `run` and `start` share: a launch, in the foreground or detached.
enum Booting {
  static func run(
    _ launch: Launch, detaches: Bool, isQuiet: Bool, command: [String] = [],
    patience: Duration = GuestCommandSession.defaultPatience
  ) throws -> ExitStatus {
    // Taken even where it isn't used, so that no child believes it is the service.
    let manager = ServiceNotifier.fromEnvironment()
    let notifier = detaches ? nil : manager
    let signals = Mailbox<Signal>()
    Signal.handle(Signal.ofSessions) { signals.send($0) }
    let loop = try EventLoop()
    return try loop.run {
      if !command.isEmpty { try await GuestSSH.checkClient(on: loop) }
      let client = try ReleaseClient.forTerminal(
        launch.cache, notifier, isQuiet: isQuiet, on: loop)
      let launched = try await Interruption.cancelling(on: signals, loop) {
        try await launch.start(waitsForConsole: !detaches && command.isEmpty, with: client)
      }
      if launched.exposesSSH, !isQuiet {
        Output.note(
          "qvm: ssh is open on every address of this machine;"
            + " --ssh-address 127.0.0.1 keeps it here\n")
      }
      if !command.isEmpty {
        let session = GuestCommandSession(
          launched, command: command, notifier: notifier, loop: loop)
        session.isQuiet = isQuiet
        session.patience = patience
        return await session.run(signals: signals)
      }
      if detaches {
        var start = DetachedStart(launched, loop: loop)
        start.isQuiet = isQuiet
        return try await start.run(signals: signals) {
          Output.note("qvm: \($0)\n")
        } print: {
          try Output.print("\($0)\n")
        }
      }
      let session = ForegroundSession(launched, notifier: notifier, loop: loop)
      session.isQuiet = isQuiet
      return await session.run(signals: signals)
    }
  }
}
