import QMPClient
import QVMControl

struct ConsoleCommand: Command {
  static let name = "console"
  static let summary = "Attach to the serial console of a VM that runs."
  static let discussion: String? = """
    Every key goes to the guest. Ctrl-] d detaches, and the VM runs on; Ctrl-] ? lists the keys.
    Where a keyboard has no Ctrl-], most terminals take Ctrl-5 for it, and --escape or QVM_ESCAPE
    makes it another key. Typed twice it is sent to the guest once.

    The guest gets a screen with colours, modes and questions about the cursor, but no titles, no
    clipboard and nothing else beyond it; what it switched is switched back at the end. Its past is
    shown as text.
    """
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", completing: .instances) {
      $0.instance = $1
    },
    .escape { $0.escape = $1 },
  ]

  var instance = ""
  var escape: String?

  func run() throws -> ExitStatus {
    let store = InstanceStore(try Cache.fromEnvironment())
    let name = try InstanceName(instance)
    let escape = try EscapeKey.chosen(escape)
    let signals = Mailbox<Signal>()
    Signal.handle(Signal.ofSessions) { signals.send($0) }
    let loop = try EventLoop()
    return try loop.run {
      try await ConsoleSession(name, in: store, escape: escape, on: loop).run(signals: signals)
    }
  }
}
