/// A published port as typed: `[ADDRESS:]HOST:GUEST[/udp]`, or, to find one that is published,
/// `[ADDRESS:]HOST[:GUEST][/udp]`.
package struct PublishedPortWord: Sendable, Hashable {
  package let word: String
  let transport: NetworkPort.Transport?
  let address: String?
  let port: Int
  let guestPort: Int?

  /// - Throws: ``RunOptionError``: `badPublish`, `badPublishedPort`, `ipv6Publish`, `badAddress`.
  package init(_ word: String) throws(RunOptionError) {
    self.word = word
    var rest = word[...]
    var transport: NetworkPort.Transport?
    if let slash = rest.lastIndex(of: "/") {
      let name = String(rest[rest.index(after: slash)...]).lowercased()
      transport = NetworkPort.Transport(rawValue: name)
      if transport == nil { throw .badPublish(word) }
      rest = rest[..<slash]
    }
    self.transport = transport
    if rest.first == "[" || rest.split(separator: ":", omittingEmptySubsequences: false).count > 3 {
      throw .ipv6Publish(word)
    }
    var parts = rest.split(separator: ":", omittingEmptySubsequences: false)
    if let first = parts.first, parts.count == 3 || first.contains(".") {
      address = try RunOptionValidation.address(String(first))
      parts.removeFirst()
    } else {
      address = nil
    }
    guard let host = parts.first, parts.count <= 2 else { throw .badPublish(word) }
    port = try Self.number(host, least: 0, in: word)
    guestPort = if parts.count == 2 { try Self.number(parts[1], least: 1, in: word) } else { nil }
  }

  private static func number(
    _ digits: Substring, least: Int, in word: String
  ) throws(RunOptionError) -> Int {
    let areDigits = digits.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    guard areDigits, !digits.isEmpty else { throw .badPublish(word) }
    guard let number = Int(digits), least...65535 ~= number else {
      throw .badPublishedPort(String(digits), in: word, isGuests: least > 0)
    }
    return number
  }

  /// The published ports that the word can mean. Without an address it means any; a host's port 0 means
  /// those that qvm chose.
  ///
  /// - Parameter ports: All that are published.
  /// - Returns: Those that fit.
  func matches(in ports: [PublishedPort]) -> [PublishedPort] {
    ports.filter { published in
      (port == published.port || port == 0 && published.isChosen)
        && (address == nil || address == published.address)
        && (guestPort == nil || guestPort == published.guestPort)
        && (transport ?? .tcp) == published.transport
    }
  }
}
