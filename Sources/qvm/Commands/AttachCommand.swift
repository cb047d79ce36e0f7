import QMPClient
import QVMControl

struct AttachCommand: Command {
  static let name = "attach"
  static let summary = "Reattach a background VM to this terminal."
  static let discussion: String? = """
    The guest's console appears on this terminal, as with 'qvm run'. Ctrl-C shuts the guest down, and
    so does closing the terminal. Ctrl-] d detaches again, and the VM keeps running in the background.
    Ctrl-] ? lists the keys.

    'qvm console --help' tells how to choose another key, and what the guest may do with the terminal.
    """
  static let parameters: [Parameter<Self>] = [
    .argument("NAME", "The instance, as shown by 'qvm list'.", completing: .instances) {
      $0.instance = $1
    },
    .escape { $0.escape = $1 },
  ]

  var instance = ""
  var escape: String?

  func advice(trailing words: [String]) -> String? {
    SSHCommand.advice(running: words, in: instance)
  }

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
      session.wayIn = LaunchRunner.wayIn(
        name.text, try VMStatus.inspect(name, in: store).record?.target)
      return await session.run(signals: signals)
    }
  }
}
