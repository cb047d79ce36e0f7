import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

/// What the ssh that is installed makes of the arguments.
@Suite(.timeLimit(.minutes(10))) struct GuestSSHTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func status(in folder: String, port: Int? = 2850) throws -> VMStatus {
    try Files.makeFolder(folder)
    let files = InstanceFiles(folder: folder)
    var status = VMStatus(name: "box", files: files, phase: .running)
    status.record = InstanceRecord(
      name: "box",
      target: try Target(
        operatingSystem: "haiku", version: "r1beta5", platform: nil, host: .x86_64),
      createdAt: Timestamp(seconds: 0), baseImage: "/b", options: [:])
    status.boot = BootRecord(
      token: "b", hostBootID: "h", startedAt: Timestamp(seconds: 0), removeOnShutdown: false,
      shutdownTimeout: 120, supervisorPid: 1, supervisorStart: 1, command: [], accelerator: "tcg",
      sshAddress: "0.0.0.0", sshPort: port, consoleOffset: 0, runtimeFolder: "/r", isFirst: false)
    return status
  }

  @Test(arguments: [("box", true), ("a b", false), ("50%h", false), ("${HOME}'\"\\", false)])
  func `it takes nothing from a configuration, and finds the host key in any folder`(
    name: String, isPlain: Bool
  ) throws {
    let ssh = try GuestSSH(try status(in: "\(folder.path)/\(name)"))
    let arguments = ssh.arguments([], options: ["-G"])
    let loop = try EventLoop()
    let output = try loop.run { try await Subprocess.run(ssh.program, arguments, on: loop) }
    #expect(output.succeeded, "\(output.problem)")
    let lines = Set(String(decoding: output.standardOutput, as: UTF8.self).split(separator: "\n"))
    let file = isPlain ? "\(folder.path)/\(name)/known_hosts" : "known_hosts"
    for line in [
      "hostname 127.0.0.1", "port 2850", "user user", "hostkeyalias box",
      "userknownhostsfile \(file)", "globalknownhostsfile /dev/null",
      "stricthostkeychecking accept-new", "controlmaster false", "loglevel ERROR",
    ] {
      #expect(lines.contains(line[...]), "\(line)")
    }
    #expect(arguments.suffix(1) == ["127.0.0.1"])
    #expect(arguments.contains("-F"))
  }

  @Test(arguments: ["box", "a b %h"], [nil, "root"])
  func `qvm's key comes first for the user who has it, and the usual ones after it`(
    name: String, user: String?
  ) throws {
    let cache = "\(folder.path)/\(name)"
    var status = try status(in: "\(cache)/instances/box")
    let before = try GuestSSH(status, as: user).arguments([])
    #expect(!before.contains { $0.hasPrefix("Identit") })
    status.boot?.command = ["q", "-drive", "if=none,id=qvm-keys"]
    #expect(try GuestSSH(status, as: user).arguments([]) == before, "there is no key")
    try Files.makeFolder("\(cache)/keys")
    try Files.write([], to: "\(cache)/keys/id_ed25519")
    let ssh = try GuestSSH(status, as: user)
    let loop = try EventLoop()
    let output = try loop.run {
      try await Subprocess.run(ssh.program, ssh.arguments([], options: ["-G"]), on: loop)
    }
    let lines = String(decoding: output.standardOutput, as: UTF8.self).split(separator: "\n")
    let files = lines.filter { $0.hasPrefix("identityfile ") }.map { $0.dropFirst(13) }
    #expect(files.first == (name == "box" ? "\(cache)/keys/id_ed25519" : "../../keys/id_ed25519"))
    #expect(files.contains { $0.hasSuffix("/.ssh/id_ed25519") })
    #expect(files.contains { $0.hasSuffix("/.ssh/id_rsa") })
    #expect(lines.contains("identitiesonly \(user == nil ? "yes" : "no")"))
  }

  @Test(arguments: ["bin", "a b", "50%h%%", "it's \"$HOME\" `x` \\", "é ~#;&"])
  func `ssh starts its proxy from any folder`(name: String) throws {
    let place = "\(folder.path)/\(name)"
    try Files.makeFolder(place)
    try FileManager.default.createSymbolicLink(
      atPath: "\(place)/qvm", withDestinationPath: "/bin/sh")
    let script = "\(folder.path)/script"
    try Files.write(Array("echo \"got $*\" >&2\n".utf8), to: script)
    let command = GuestSSH.proxyCommand("\(place)/qvm", [script, "127.0.0.1", "1"])
    let ssh = try GuestSSH(try status(in: "\(folder.path)/box"))
    let arguments = ssh.arguments(
      [], options: ["-o", "ProxyUseFdpass=yes", "-o", "ProxyCommand=\(command)"])
    let loop = try EventLoop()
    let output = try loop.run { try await Subprocess.run(ssh.program, arguments, on: loop) }
    #expect(!output.succeeded)
    let errors = String(decoding: output.standardError, as: UTF8.self)
    #expect(errors.contains("got 127.0.0.1 1\n"), "\(errors)")
  }

  @Test func `what a caller says counts more, and a command comes last`() throws {
    let ssh = try GuestSSH(try status(in: "\(folder.path)/box"))
    let words = ssh.arguments(["a b", "-c"], options: ["-o", "ConnectTimeout=5"])
    #expect(words.suffix(4) == ["127.0.0.1", "--", "a b", "-c"])
    let times = words.filter { $0.hasPrefix("ConnectTimeout=") }
    #expect(times.first == "ConnectTimeout=5")
  }

  @Test func `without a port there is no server, and no sign to wait for`() throws {
    let status = try status(in: "\(folder.path)/box", port: nil)
    #expect(throws: SSHError.noServer(name: "box")) { try GuestSSH.checkServer(of: status) }
    let target = try #require(status.record?.target)
    let boot = try #require(status.boot)
    #expect(ReadySign(of: target, boot, status.files, consoleOffset: 0) == nil)
  }
}
