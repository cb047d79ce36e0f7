import TestSupport
import Testing

@testable import QVMControl

@Suite struct SSHPortChoiceTests {
  private static let address = "127.0.0.1"
  private static let failure = StartError.other(message: "QEMU", advice: "")

  private static func plan(isPortFixed: Bool = false, in folder: String) -> LaunchPlan {
    LaunchPlan(
      kind: .boot, cache: folder, name: "vm", command: [], runtimeFolder: nil,
      isPortFixed: isPortFixed, removeOnShutdown: false, shutdownTimeout: 1,
      waitsForConsole: false, isFirst: true)
  }

  private static func command(_ port: Int) -> QEMUArguments {
    QEMUArguments([
      "qemu", "-netdev", "user,id=net0,hostfwd=tcp:\(address):\(port)-:22",
    ])
  }

  @Test func `the driver's port comes first, then the ones above it that QEMU could take`() throws {
    let folder = try TemporaryFolder()
    var choice = SSHPortChoice(Self.plan(in: folder.path))
    let command = Self.command(2847)
    let first = try #require(try choice.applied(to: command).forwardedPort)
    #expect(first >= 2847)
    try choice.refuse(first, of: command, because: Self.failure)
    let second = try #require(try choice.applied(to: command).forwardedPort)
    #expect(second > first)
  }

  @Test func `a port that the user named is not replaced by another`() throws {
    let folder = try TemporaryFolder()
    var choice = SSHPortChoice(Self.plan(isPortFixed: true, in: folder.path))
    // Nothing listens at the first port, so no holder is named.
    #expect(throws: StartError.portTaken(address: Self.address, port: 1, by: nil)) {
      try choice.refuse(1, of: Self.command(1), because: Self.failure)
    }
  }

  @Test func `after as many ports as are tried, QEMU's own failure counts`() throws {
    let folder = try TemporaryFolder()
    var choice = SSHPortChoice(Self.plan(in: folder.path))
    let command = Self.command(2847)
    for port in 1...199 { try choice.refuse(port, of: command, because: Self.failure) }
    #expect(throws: Self.failure) { try choice.refuse(200, of: command, because: Self.failure) }
  }

  @Test func `a command without a forwarded port stays as it is`() throws {
    let folder = try TemporaryFolder()
    let choice = SSHPortChoice(Self.plan(in: folder.path))
    let command = QEMUArguments(["qemu", "-m", "1G"])
    #expect(try choice.applied(to: command) == command)
  }
}
