import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

/// What the ssh that is installed reads in the configuration.
@Suite(.timeLimit(.minutes(10))) struct SSHConfigurationTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: ["box", "a b", "50%h%%", "it's \"quoted\" \\ `x`", "$HOME ~ # é", "a\\\\\" b"])
  func `ssh finds the host key in any folder, and takes nothing of what follows`(
    name: String
  ) throws {
    let place = "\(folder.path)/\(name)"
    try Files.makeFolder(place)
    var status = VMStatus(name: "box", files: InstanceFiles(folder: place), phase: .running)
    status.record = InstanceRecord(
      name: "box",
      target: try Target(
        operatingSystem: "freebsd", version: "14.2", platform: nil, host: .x86_64),
      createdAt: Timestamp(seconds: 0), baseImage: "/b", options: [:])
    status.boot = BootRecord(
      token: "b", hostBootID: "h", startedAt: Timestamp(seconds: 0), removeOnShutdown: false,
      shutdownTimeout: 120, supervisorPid: 1, supervisorStart: 1, command: [], accelerator: "tcg",
      sshAddress: "0.0.0.0", sshPort: 2850, consoleOffset: 0, isFirst: false)
    let text =
      try GuestSSH(status).configuration() + """
        Host *
          Port 1
          HostName elsewhere
          ProxyJump elsewhere
          ControlMaster auto
          ControlPath /tmp/shared
          User nobody
        """
    let file = "\(folder.path)/config"
    try Files.write(Array(text.utf8), to: file)
    let loop = try EventLoop()
    let output = try loop.run {
      try await Subprocess.run("/usr/bin/env", ["ssh", "-G", "-F", file, "box"], on: loop)
    }
    #expect(output.succeeded, "\(output.problem)")
    let lines = String(decoding: output.standardOutput, as: UTF8.self).split(separator: "\n")
    for line in [
      "hostname 127.0.0.1", "port 2850", "user runner", "hostkeyalias box",
      "userknownhostsfile \(place)/known_hosts", "globalknownhostsfile /dev/null",
      "stricthostkeychecking accept-new",
    ] {
      #expect(lines.contains(line[...]), "\(line)")
    }
    #expect(!lines.contains { $0.hasPrefix("proxyjump") || $0.hasPrefix("proxycommand") })
    #expect(!lines.contains { $0.hasPrefix("controlpath /") })
  }

  @Test(arguments: ["/a/${HOME}", "/a\nb"])
  func `a path that ssh can't be given is an error`(path: String) {
    #expect(throws: SSHError.unquotable(path: path)) { try GuestSSH.quoted(path) }
  }
}
