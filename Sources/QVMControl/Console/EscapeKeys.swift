/// Reads the keys that are typed at an attached console. They go to the guest, except the key after
/// the escape key, which is a command to qvm.
package struct EscapeKeys: Sendable {
  package enum Action: Sendable, Hashable {
    case send([UInt8])
    case detach
    case help
  }

  private static let (interrupt, suspend, quit): (UInt8, UInt8, UInt8) = (0x03, 0x1A, 0x1C)

  package let key: EscapeKey
  private var isEscaped = false

  package init(_ key: EscapeKey = .usual) { self.key = key }

  /// Whether Ctrl-C shuts the guest down, as usual.
  package var shutsDown: Bool { key.byte != Self.interrupt }

  /// The list of keys of a VM's own terminal, for people.
  package var help: String {
    // The keys that are signals, without the escape key.
    let signals: [(byte: UInt8, use: String)] = [
      (Self.interrupt, "shut the guest down (twice: force it, three times: kill QEMU)"),
      (Self.quit, "end QEMU at once"),
      (Self.suspend, "suspend this command (the VM keeps running, 'fg' resumes it)"),
    ]
    let own: [(String, String)] = [
      ("c", "send Ctrl-C to the guest"), ("z", "send Ctrl-Z to the guest"),
      (#"\"#, #"send Ctrl-\ to the guest"#),
    ]
    return Self.table(
      signals.filter { $0.byte != key.byte }.map { (EscapeKey.title(of: $0.byte), $0.use) }
        + rows(own, detached: "detach (the VM keeps running in the background)"))
  }

  /// The list of keys of an attached console that is not the VM's own terminal.
  package var attachedHelp: String {
    Self.table(rows([], detached: "detach (the VM keeps running)"))
      + "\nevery other key goes to the guest"
  }

  private func rows(_ first: [(String, String)], detached: String) -> [(String, String)] {
    guard let title = key.title else { return [] }
    let rest = [
      (title, "send \(title) to the guest"), ("d", detached), ("?", "show this list"),
    ]
    return (first + rest).map { ("\(title) \($0.0)", $0.1) }
  }

  private static func table(_ rows: [(String, String)]) -> String {
    rows.map { key, use in
      "\(key)\(String(repeating: " ", count: max(1, 16 - key.count)))\(use)"
    }.joined(separator: "\n")
  }

  /// Reads typed bytes. The escape key and the next key may arrive in two calls.
  package mutating func read(_ bytes: [UInt8]) -> [Action] {
    var actions: [Action] = []
    var plain: [UInt8] = []
    func flush() {
      if !plain.isEmpty { actions.append(.send(plain)) }
      plain = []
    }
    for byte in bytes {
      guard isEscaped else {
        if byte == key.byte { isEscaped = true } else { plain.append(byte) }
        continue
      }
      isEscaped = false
      switch byte {
      case key.byte: plain.append(byte)
      case UInt8(ascii: "c"), Self.interrupt: plain.append(Self.interrupt)
      case UInt8(ascii: "z"), Self.suspend: plain.append(Self.suspend)
      case UInt8(ascii: "\\"), Self.quit: plain.append(Self.quit)
      // As in telnet: `]` is on the same key as the escape key.
      case UInt8(ascii: "]") where key == .usual: plain.append(0x1D)
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
