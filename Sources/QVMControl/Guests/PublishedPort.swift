package import QMPClient

/// A port of this host that leads to a port of the guest, as `--publish` names it.
package struct PublishedPort: Sendable, Hashable {
  package var transport: NetworkPort.Transport
  /// The address of this host; `0.0.0.0` for all of them.
  package var address: String
  /// The port of this host; 0 for a free one that is chosen at each boot.
  package var port: Int
  package var guestPort: Int
  /// Whether qvm chose the host's port, because 0 was asked for.
  package var isChosen = false

  /// The address if none is given: only this machine can connect.
  static let usualAddress = "127.0.0.1"
  static let allAddresses = "0.0.0.0"

  package init(
    _ transport: NetworkPort.Transport = .tcp, _ address: String, _ port: Int, to guestPort: Int,
    isChosen: Bool = false
  ) {
    self.transport = transport
    self.address = address
    self.port = port
    self.guestPort = guestPort
    self.isChosen = isChosen
  }

  /// Reads `[ADDRESS:]HOST:GUEST[/udp]`.
  ///
  /// - Throws: ``RunOptionError``: `badPublish`, `badPublishedPort`, `ipv6Publish`, `badAddress`.
  package init(_ word: String) throws(RunOptionError) {
    let parts = try PublishedPortWord(word)
    guard let guestPort = parts.guestPort else { throw .badPublish(word) }
    self.init(
      parts.transport ?? .tcp, parts.address ?? Self.usualAddress, parts.port, to: guestPort)
  }

  /// As ``init(_:)`` reads it.
  package var word: String {
    let host = address == Self.usualAddress ? "" : "\(address):"
    return "\(host)\(port):\(guestPort)" + (transport == .tcp ? "" : "/\(transport.rawValue)")
  }

  /// For people: `127.0.0.1:8080 -> 80/tcp`. The host's port is `*` if it is chosen at each boot.
  package var text: String {
    "\(address):\(port == 0 ? "*" : String(port)) -> \(guestPort)/\(transport.rawValue)"
  }

  /// The host's side for people: `127.0.0.1:8080`, with `/udp` for UDP.
  package var hostText: String {
    "\(address):\(port)" + (transport == .tcp ? "" : "/\(transport.rawValue)")
  }

  /// The host's side, as QEMU names it: `tcp:127.0.0.1:8080`.
  var hostRule: String { "\(transport.rawValue):\(address):\(port)" }

  /// The value of `hostfwd=`: `tcp:127.0.0.1:8080-:80`.
  var rule: String { "\(hostRule)-:\(guestPort)" }

  /// Whether other machines can connect, as far as the address says.
  package var isExposed: Bool { address == Self.allAddresses }

  /// Whether two forwards need the same port of the host. Ports that are chosen later never do.
  func collides(with other: PublishedPort) -> Bool {
    port != 0 && port == other.port && transport == other.transport
      && (address == other.address || isExposed || other.isExposed)
  }

  /// Checks that no two ports need the same one of the host.
  ///
  /// - Parameters:
  ///   - ports: The ports to publish.
  ///   - sshPort: The port that the user chose for ssh; nil for the usual one, which gives way.
  /// - Throws: `publishedTwice`, `publishedSSHPort`.
  static func checkDistinct(
    _ ports: [PublishedPort], besides sshPort: Int?
  ) throws(RunOptionError) {
    for (index, port) in ports.enumerated() {
      if let other = ports[..<index].first(where: port.collides) {
        throw .publishedTwice(other.word, port.word)
      }
      if port.transport == .tcp, let sshPort, port.port == sshPort {
        throw .publishedSSHPort(port.word)
      }
    }
  }
}

/// The JSON of records and of `status`.
extension PublishedPort: RecordValue {
  package var json: JSONValue {
    var object: JSONObject = [
      "protocol": .string(transport.rawValue), "address": .string(address), "port": port.json,
      "guestPort": guestPort.json,
    ]
    if isChosen { object["chosen"] = true }
    return .object(object)
  }

  /// Reads a port; nil if the command line would have refused one of its members.
  package static func read(_ json: JSONValue) -> PublishedPort? {
    guard let transport = json["protocol"]?.string.flatMap(NetworkPort.Transport.init(rawValue:)),
      let address = json["address"]?.string, let port = json["port"]?.int,
      let guestPort = json["guestPort"]?.int, 0...65535 ~= port, 1...65535 ~= guestPort,
      (try? RunOptionValidation.address(address)) != nil
    else { return nil }
    return PublishedPort(
      transport, address, port, to: guestPort, isChosen: json["chosen"]?.bool ?? false)
  }
}
