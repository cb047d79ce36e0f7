import QMPClient
import Testing

@testable import QVMControl

@Suite struct PublishedPortTests {
  @Test(arguments: [
    ("8080:80", PublishedPort(.tcp, "127.0.0.1", 8080, to: 80), "8080:80"),
    ("0:22", PublishedPort(.tcp, "127.0.0.1", 0, to: 22), "0:22"),
    ("127.0.0.1:8080:80/tcp", PublishedPort(.tcp, "127.0.0.1", 8080, to: 80), "8080:80"),
    ("0.0.0.0:1:65535/UDP", PublishedPort(.udp, "0.0.0.0", 1, to: 65535), "0.0.0.0:1:65535/udp"),
  ])
  func `a word is a port, and is written again`(
    word: String, port: PublishedPort, written: String
  ) throws {
    #expect(try PublishedPort(word) == port)
    #expect(port.word == written)
    #expect(PublishedPort.read(port.json) == port)
  }

  @Test(arguments: [
    ("", RunOptionError.badPublish("")), ("80", .badPublish("80")), (":80", .badPublish(":80")),
    ("80:", .badPublish("80:")), ("a:80", .badPublish("a:80")), ("-1:80", .badPublish("-1:80")),
    ("+1:80", .badPublish("+1:80")), ("8000-8010:80", .badPublish("8000-8010:80")),
    ("80:80/sctp", .badPublish("80:80/sctp")), ("80:80/", .badPublish("80:80/")),
    ("127.0.0.1:80", .badPublish("127.0.0.1:80")), ("٣:80", .badPublish("٣:80")),
    ("1:0", .badPublishedPort("0", in: "1:0", isGuests: true)),
    ("65536:1", .badPublishedPort("65536", in: "65536:1", isGuests: false)),
    (
      "1:99999999999999999999",
      .badPublishedPort("99999999999999999999", in: "1:99999999999999999999", isGuests: true)
    ),
    ("localhost:80:80", .badAddress("localhost")), (":80:80", .badAddress("")),
    ("127.0.0.01:80:80", .badAddress("127.0.0.01")), ("1.2.3:80", .badAddress("1.2.3")),
    ("[::1]:80:80", .ipv6Publish("[::1]:80:80")), ("::1:80:80", .ipv6Publish("::1:80:80")),
  ])
  func `another word is refused`(word: String, error: RunOptionError) {
    #expect(throws: error) { try PublishedPort(word) }
  }

  @Test(arguments: [
    ("1:80", "1:81", true), ("1:80", "0.0.0.0:1:80", true), ("1:80", "127.0.0.2:1:80", false),
    ("1:80", "1:80/udp", false), ("0:80", "0:80", false), ("1:80", "2:80", false),
  ])
  func `two ports may need the same one of the host`(
    one: String, other: String, areSame: Bool
  ) throws {
    let ports = [try PublishedPort(one), try PublishedPort(other)]
    #expect(ports[0].collides(with: ports[1]) == areSame)
    #expect(ports[1].collides(with: ports[0]) == areSame)
    let error = RunOptionError.publishedTwice(ports[0].word, ports[1].word)
    if areSame {
      #expect(throws: error) { try RunOverrides(published: ports) }
    } else {
      #expect(try RunOverrides(published: ports).published == ports)
    }
  }

  @Test func `a port that is the user's choice for ssh is not published, too`() throws {
    let port = try PublishedPort("2222:80")
    #expect(throws: RunOptionError.publishedSSHPort("2222:80")) {
      try RunOverrides(sshPort: 2222, published: [port])
    }
    #expect(throws: Never.self) {
      try RunOverrides(sshPort: 2222, published: [try PublishedPort("2222:80/udp")])
    }
  }

  @Test func `an instance's record has the ports, and a boot's own replace them`() throws {
    let overrides = try RunOverrides(published: [try PublishedPort("0:80/udp")])
    #expect(overrides.json == ["publish": ["0:80/udp"]])
    #expect(try RunOverrides(.object(overrides.json), accelerators: nil) == overrides)
    let other = try RunOverrides(published: [try PublishedPort("1:2")])
    #expect(other.optionsDiffering(from: overrides.json) == ["--publish"])
    #expect(try other.completed(by: overrides.json).published == other.published)
    #expect(try RunOverrides().completed(by: overrides.json).published == overrides.published)
    #expect(throws: RunOptionError.badPublish("x")) {
      try RunOverrides(["publish": ["x"]], accelerators: nil)
    }
  }

  @Test(arguments: Driver.all)
  func `ports are published in the network of each driver`(driver: Driver) throws {
    let arguments = QEMUArguments(
      driver.command(DriverPaths(cache: "/cache", image: "/disk.qcow2")))
    let ports = [try PublishedPort("8080:80"), try PublishedPort("0.0.0.0:53:53/udp")]
    let words = try arguments.publishing(ports)
    let network = try #require(words.value(of: "-netdev"))
    #expect(network.hasSuffix(",hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:0.0.0.0:53-:53"))
    #expect(words.forwardedPort == arguments.forwardedPort)
    #expect(words.userNetworkID == "user.0")
    #expect(words.words.count == arguments.words.count)
  }

  @Test func `without a user network there is an error, unless nothing is published`() throws {
    let arguments = QEMUArguments(["q", "-netdev", "tap,id=user"])
    #expect(throws: RunOptionError.noUserNetwork(program: "q")) {
      try arguments.publishing([try PublishedPort("1:2")])
    }
    #expect(try arguments.publishing([]) == arguments)
  }

  private static let published = [
    PublishedPort(.tcp, "127.0.0.1", 8080, to: 80),
    PublishedPort(.tcp, "127.0.0.2", 8080, to: 80),
    PublishedPort(.udp, "127.0.0.1", 8080, to: 80),
    PublishedPort(.tcp, "127.0.0.1", 4567, to: 443, isChosen: true),
  ]

  @Test(arguments: [
    ("8080", [0, 1]), ("127.0.0.2:8080", [1]), ("8080:80", [0, 1]), ("8080:81", []),
    ("8080/udp", [2]), ("0:443", [3]), ("4567", [3]), ("0", [3]), ("1", []),
  ])
  func `a word finds published ports`(word: String, places: [Int]) throws {
    #expect(
      try PublishedPortWord(word).matches(in: Self.published) == places.map { Self.published[$0] })
  }

  @Test func `a chosen port is kept as one to choose, and forgotten by its choice`() {
    var ports: [PublishedPort] = []
    for port in Self.published { ports.keep(port) }
    #expect(ports.map(\.word) == ["8080:80", "127.0.0.2:8080:80", "8080:80/udp", "0:443"])
    ports.forget(Self.published[3])
    ports.forget(Self.published[1])
    #expect(ports.map(\.word) == ["8080:80", "8080:80/udp"])
    ports.keep(PublishedPort(.tcp, "0.0.0.0", 8080, to: 81))
    #expect(ports.map(\.word) == ["8080:80/udp", "0.0.0.0:8080:81"])
  }
}
