import QMPClient
import QVMControl

struct ConsoleCommand: Command {
  static let name = "console"
  static let summary = "Attach to the serial console of a running VM."
  static let discussion: String? = """
    Every key goes to the guest, Ctrl-C too, except Ctrl-], which comes before a command to qvm.
    Ctrl-] d detaches, and the VM keeps running. Ctrl-] ? lists the keys. Ctrl-] typed twice is sent to
    the guest once. If your keyboard has no Ctrl-], press Ctrl-5 on most terminals, or choose another
    key with --escape or QVM_ESCAPE.

    The guest may use colours, move the cursor, switch the terminal's modes and ask for the cursor's
    position. It cannot set the terminal's title, use the clipboard or reach anything else outside the
    screen. When qvm exits, the terminal is as it was before. Earlier output is shown as plain text.
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
      try await ConsoleSession(name, in: store, escape: escape, on: loop).run(signals: signals)
    }
  }
}
