import QMPClient
import QVMControl

/// What `run` and `start` share: a launch, in the foreground or detached.
enum Booting {
  static func run(
    _ launch: Launch, detaches: Bool, command: [String] = []
  ) throws -> ExitStatus {
    let signals = Mailbox<Signal>()
    Signal.handle([.interrupt, .terminate, .hangUp, .quit, .terminalStop]) { signals.send($0) }
    let loop = try EventLoop()
    return try loop.run {
      let client = try ReleaseClient.forTerminal(launch.cache, on: loop)
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
          launched, command: command, in: InstanceStore(launch.cache), loop: loop
        ).run(signals: signals)
      }
      if detaches {
        return try await DetachedStart(launched, loop: loop).run(signals: signals) {
          Output.note("qvm: \($0)\n")
        } print: {
          try Output.print("\($0)\n")
        }
      }
      return await ForegroundSession(
        launched.name, files: launched.files, runtime: launched.runtime,
        supervisor: launched.supervisor, loop: loop
      ).run(signals: signals)
    }
  }
}
