import QMPClient
import QVMControl

struct AttachCommand: Command {
  static let name = "attach"
  static let summary = "Bring a VM that runs in the background to this terminal, as 'run' has it."
  static let discussion: String? = """
    The console is on this terminal, Ctrl-C shuts the guest down, and so does the end of the
    terminal. Ctrl-] d lets the VM run on in the background; Ctrl-] ? lists the keys.
    What a guest may do with the terminal, and which key Ctrl-] can be, is as with 'run' and 'console'.
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
      let running = try SupervisedVM(attachingTo: name, in: store)
      let session = ForegroundSession(running, escape: escape, loop: loop)
      return await session.run(signals: signals)
    }
  }
}
