/// Reads what is typed at an attached console: most of it is for the guest, what follows Ctrl-] is
/// for qvm.
package struct EscapeKeys: Sendable {
  package enum Action: Sendable, Hashable {
    case send([UInt8])
    case detach
    case help
  }

  /// The keys, for people.
  package static let help = """
    Ctrl-C       shut the guest down; again: force it; a third time: kill QEMU
    Ctrl-] c     send Ctrl-C to the guest
    Ctrl-] z     send Ctrl-Z to the guest
    Ctrl-] \\     send Ctrl-\\ to the guest
    Ctrl-] ]     send Ctrl-] to the guest
    Ctrl-] d     detach: the VM runs on in the background
    Ctrl-] ?     show this list
    """

  /// The keys of a console that is attached to without being the VM's own terminal.
  package static let attachedHelp = """
    Ctrl-] d     detach: the VM runs on
    Ctrl-] ]     send Ctrl-] to the guest
    Ctrl-] ?     show this list
    every other key goes to the guest
    """

  private static let prefix: UInt8 = 0x1D
  private var isEscaped = false

  package init() {}

  /// Reads some typed bytes; an escape may be split over two calls.
  package mutating func read(_ bytes: [UInt8]) -> [Action] {
    var actions: [Action] = []
    var plain: [UInt8] = []
    func flush() {
      if !plain.isEmpty { actions.append(.send(plain)) }
      plain = []
    }
    for byte in bytes {
      guard isEscaped else {
        if byte == Self.prefix { isEscaped = true } else { plain.append(byte) }
        continue
      }
      isEscaped = false
      switch byte {
      case UInt8(ascii: "c"), 0x03: plain.append(0x03)
      case UInt8(ascii: "z"), 0x1A: plain.append(0x1A)
      case UInt8(ascii: "\\"), 0x1C: plain.append(0x1C)
      case UInt8(ascii: "]"), Self.prefix: plain.append(Self.prefix)
      case UInt8(ascii: "d"):
        flush()
        actions.append(.detach)
      default:
        flush()
        actions.append(.help)
      }
    }
    flush()
    return actions
  }
}
