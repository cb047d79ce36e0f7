import QMPClient
import QVMControl

struct ConsoleCommand: Command {
  static let name = "console"
  static let summary = "Attach to the serial console of a VM that runs."
  static let discussion: String? = """
    Every key goes to the guest. Ctrl-] d detaches, and the VM runs on; Ctrl-] ? lists the keys.

    The guest gets a screen with colours, modes and questions about the cursor, but no titles, no
    clipboard and nothing else beyond it; what it switched is switched back at the end. Its past is
    shown as text.
    """
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", completing: .instances) {
      $0.instance = $1
    }
  ]

  var instance = ""

  func run() throws -> ExitStatus {
    let store = InstanceStore(try Cache.fromEnvironment())
    let name = try InstanceName(instance)
    let signals = Mailbox<Signal>()
    Signal.handle(Signal.ofSessions) { signals.send($0) }
    let loop = try EventLoop()
    return try loop.run {
      try await ConsoleSession(name, in: store, on: loop).run(signals: signals)
    }
  }
}
