/// A TCP port of the host that is forwarded to the guest: the value of `hostfwd=` in `-netdev
/// user`.
///
/// On the command line: `tcp:[ADDRESS]:PORT-[GUEST]:GUESTPORT`, such as `tcp::2847-:22`.
struct PortForward: Equatable {
  /// The address on which the host listens; empty for all interfaces.
  var address: String
  var port: Int
  /// The text after the dash: the guest's address and port.
  private var guest: String

  init?(_ value: String) {
    let halves = value.split(separator: "-", maxSplits: 1)
    let host = halves.first?.split(separator: ":", omittingEmptySubsequences: false) ?? []
    guard halves.count == 2, host.count == 3, host[0] == "tcp", let port = Int(host[2]) else {
      return nil
    }
    address = String(host[1])
    self.port = port
    guest = String(halves[1])
  }

  /// Whether the port is forwarded to the guest's ssh server.
  var leadsToSSH: Bool { guest.hasSuffix(":22") }

  var value: String { "tcp:\(address):\(port)-\(guest)" }
}
