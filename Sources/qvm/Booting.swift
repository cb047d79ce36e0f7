import QMPClient
import QVMControl

/// What `run` and `start` share: a launch, in the foreground or detached.
enum Booting {
  static func run(
    _ launch: Launch, detaches: Bool, command: [String] = []
  ) throws -> ExitStatus {
    // Taken even where it isn't used, so that no child believes it is the service.
    let manager = ServiceNotifier.fromEnvironment()
    let notifier = detaches ? nil : manager
    let signals = Mailbox<Signal>()
    Signal.handle(Signal.ofSessions) { signals.send($0) }
    let loop = try EventLoop()
    return try loop.run {
      let client = try ReleaseClient.forTerminal(launch.cache, notifier, on: loop)
      let launched = try await Interruption.cancelling(on: signals, loop) {
        try await launch.start(waitsForConsole: !detaches && command.isEmpty, with: client)
      }
      if launched.exposesSSH {
        Output.note(
          "qvm: ssh is open on every address of this machine;"
            + " --ssh-address 127.0.0.1 keeps it here\n")
      }
      if !command.isEmpty {
        return await GuestCommandSession(
          launched, command: command, notifier: notifier, loop: loop
        ).run(signals: signals)
      }
      if detaches {
        return try await DetachedStart(launched, loop: loop).run(signals: signals) {
          Output.note("qvm: \($0)\n")
        } print: {
          try Output.print("\($0)\n")
        }
      }
      return await ForegroundSession(launched, notifier: notifier, loop: loop)
        .run(signals: signals)
    }
  }
}
