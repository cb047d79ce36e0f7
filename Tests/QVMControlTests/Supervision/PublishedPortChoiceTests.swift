import TestSupport
import Testing

@testable import QVMControl

@Suite struct PublishedPortChoiceTests {
  private static let failure = StartError.other(message: "QEMU", advice: "")

  private static func plan(
    _ ports: [String], sshPort: Int? = nil, in folder: String
  ) throws -> LaunchPlan {
    LaunchPlan(
      kind: .boot, cache: folder, name: "vm", command: [], runtimeFolder: nil,
      isPortFixed: sshPort != nil, published: try ports.map { try PublishedPort($0) },
      removeOnShutdown: false, shutdownTimeout: 1, waitsForConsole: false, isFirst: true)
  }

  @Test func `ports to choose are distinct, free ones`() throws {
    let folder = try TemporaryFolder()
    let words = Array(repeating: "0:80", count: 5) + ["0:80/udp", "0.0.0.0:0:81"]
    let choice = PublishedPortChoice(try Self.plan(words, in: folder.path))
    let ports = try choice.ports(besides: nil)
    #expect(ports.allSatisfy { $0.isChosen && $0.port > 0 })
    #expect(Set(ports.map(\.hostText)).count == words.count)
    #expect(ports.map(\.guestPort) == [80, 80, 80, 80, 80, 80, 81])
  }

  @Test func `a port that a program has is refused, of that transport alone`() throws {
    let folder = try TemporaryFolder()
    let server = try GreetingServer([.silent])
    let taken = "\(server.port):80"
    let choice = PublishedPortChoice(try Self.plan([taken], in: folder.path))
    #expect(throws: PortError.taken(try PublishedPort(taken), by: nil)) {
      try choice.ports(besides: nil)
    }
    let udp = PublishedPortChoice(try Self.plan(["\(taken)/udp"], in: folder.path))
    #expect(try udp.ports(besides: nil).map(\.port) == [server.port])
    let address = PublishedPortChoice(try Self.plan(["192.0.2.1:0:80"], in: folder.path))
    #expect(throws: PortError.noSuchAddress("192.0.2.1")) { try address.ports(besides: nil) }
  }

  @Test func `a port that QEMU could not take is chosen anew, unless the user named it`() throws {
    let folder = try TemporaryFolder()
    var choice = PublishedPortChoice(try Self.plan([], in: folder.path))
    let chosen = PublishedPort(.tcp, "127.0.0.1", 9, to: 80, isChosen: true)
    for _ in 1...19 { try choice.refuse(chosen, because: Self.failure) }
    #expect(throws: Self.failure) { try choice.refuse(chosen, because: Self.failure) }
    let named = PublishedPort(.tcp, "127.0.0.1", 9, to: 80)
    #expect(throws: PortError.taken(named, by: nil)) {
      try choice.refuse(named, because: Self.failure)
    }
  }

  @Test func `the usual port for ssh gives way to one that is published`() throws {
    let folder = try TemporaryFolder()
    let command = QEMUArguments(["q", "-netdev", "user,id=n,hostfwd=tcp:127.0.0.1:2847-:22"])
    let usual = SSHPortChoice(try Self.plan(["2847:80"], in: folder.path))
    #expect(try #require(try usual.applied(to: command).forwardedPort) > 2847)
  }

  @Test func `QEMU's words name the port that it could not take`() {
    let log = QEMULog(
      text: "qemu: -netdev user: Could not set up host forwarding rule 'tcp:127.0.0.1:80-:80'")
    #expect(log.blames(PublishedPort(.tcp, "127.0.0.1", 80, to: 80)))
    #expect(!log.blames(PublishedPort(.udp, "127.0.0.1", 80, to: 80)))
    #expect(!log.blames(PublishedPort(.tcp, "127.0.0.1", 8, to: 80)))
  }
}
