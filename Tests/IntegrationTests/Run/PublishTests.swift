import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Ports that lead to the guest: by `run --publish`, and by `port` while the VM runs.
@Suite(.timeLimit(.minutes(15))) struct PublishTests {
  private static let linux = [
    "--memory", "256M", "--platform", "x86-64", "freebsd", "14.2",
  ]

  /// What the guest's program that listens at a port of this host answers; nil without an answer.
  private func answer(_ port: Int, in sandbox: Sandbox) async throws -> String? {
    let script = """
      import socket, sys
      s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
      s.send(b"ask\\n")
      print(s.recv(100).decode(), end="")
      """
    let run = try await sandbox.run(
      URL(filePath: "/usr/bin/env"), ["python3", "-c", script, String(port)])
    return run.status == 0 && !run.out.isEmpty ? run.out : nil
  }

  /// Whether a datagram to a port of this host reaches the guest, which counts those that no program of it
  /// takes.
  private func reaches(_ port: Int, in sandbox: Sandbox) async throws -> Bool {
    func count() async throws -> Int {
      let table = try await sandbox.qvm("exec", "box", "grep ^Udp: /proc/net/snmp").out
      let numbers = table.split(separator: "\n").last?.split(separator: " ") ?? []
      return try #require(numbers.count > 2 ? Int(numbers[2]) : nil)
    }
    let before = try await count()
    let send =
      "import socket, sys; socket.socket(2, 2).sendto(b'x', ('127.0.0.1', int(sys.argv[1])))"
    _ = try await sandbox.run(
      URL(filePath: "/usr/bin/env"), ["python3", "-c", send, String(port)])
    return try await count() > before
  }

  private func ports(_ name: String, in sandbox: Sandbox) async throws -> [PublishedPort] {
    try await sandbox.status(name)["ports"].flatMap([PublishedPort].read) ?? []
  }

  /// A port that is free at the moment.
  private func freePort(_ transport: NetworkPort.Transport = .tcp) throws -> Int {
    try #require(NetworkPort.free(on: "127.0.0.1", transport))
  }

  @Test func `published ports reach the guest, also after a reset, a failover and another start`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.plant(try LinuxGuest.linux.image, as: "freebsd-14.2-x86-64")
      let (tcp, udp) = (try freePort(), try freePort(.udp))
      let run = try await sandbox.qvm(
        ["run", "-d", "--name", "box", "-p", "\(tcp):80", "-p", "\(udp):53/udp", "-p", "0:80"]
          + Self.linux)
      #expect(run.status == 0, "\(run.err)")
      let given = try await ports("box", in: sandbox)
      let chosen = try #require(given.last?.port)
      #expect(
        given == [
          PublishedPort(.tcp, "127.0.0.1", tcp, to: 80),
          PublishedPort(.udp, "127.0.0.1", udp, to: 53),
          PublishedPort(.tcp, "127.0.0.1", chosen, to: 80, isChosen: true),
        ])
      #expect(run.err.contains("port 127.0.0.1:\(chosen) leads to port 80 of the guest"))
      let list = try await sandbox.qvm("list", "--json").json["instances"]?.array?.first
      #expect(list?["ports"] == given.json)

      func serve() async throws {
        let wait = try sandbox.start("wait", "box", "--timeout", "150")
        #expect(try await wait.end(within: .seconds(160)).status == 0)
        let serve = try await sandbox.qvm(
          "exec", "box",
          """
          printf '#!/bin/sh\nread x; echo "heard $x"\n' >/tmp/answer; chmod +x /tmp/answer
          sudo nc -ll -p 80 -e /tmp/answer </dev/null >/dev/null 2>&1 &
          sudo nc -ll -p 81 -e /tmp/answer </dev/null >/dev/null 2>&1 &
          until netstat -ltn | grep -q :81; do usleep 20000; done
          """)
        #expect(serve.status == 0, "\(serve.err)")
      }
      try await serve()
      #expect(try await answer(tcp, in: sandbox) == "heard ask\n")
      #expect(try await answer(chosen, in: sandbox) == "heard ask\n")
      #expect(try await reaches(udp, in: sandbox))

      // While it runs.
      let added = try freePort()
      let add = try await sandbox.qvm("port", "box", "add", "\(added):81", "0:81")
      #expect(add.status == 0, "\(add.err)")
      let text = try await sandbox.qvm("port", "box")
      #expect(text.out.split(separator: "\n").count == 5, "\(text.out)")
      #expect(text.out.hasSuffix(add.out), "\(text.out)")
      #expect(try await answer(added, in: sandbox) == "heard ask\n")
      let remove = try await sandbox.qvm("port", "box", "rm", "\(tcp)", "--json")
      #expect(remove.json["ports"] == [PublishedPort(.tcp, "127.0.0.1", tcp, to: 80)].json)
      #expect(try await answer(tcp, in: sandbox) == nil)
      try await checkRefusals(chosen, in: sandbox)

      // A reset of the guest, the end of the monitor, and that of the supervisor.
      let monitor = try #require(try await sandbox.status("box")["paths"]?["monitor"]?.string)
      do {
        let probe = try BlockingQMPClient(path: monitor, timeout: .seconds(10))
        _ = try probe.execute(SystemReset())
      }
      try await eventually("booting") { try await sandbox.status("box")["ready"]?.bool == false }
      try await serve()
      #expect(try await answer(chosen, in: sandbox) == "heard ask\n")
      kill(try #require(sandbox.pids(of: "box").supervisor), SIGKILL)
      try await eventually("orphaned") {
        try await sandbox.status("box")["phase"]?.string == "orphaned"
      }
      let orphaned = try await sandbox.qvm("port", "box", "add", "\(tcp):81")
      #expect(orphaned.status == 0, "\(orphaned.err)")
      #expect(try await answer(tcp, in: sandbox) == "heard ask\n")
      #expect(try await answer(chosen, in: sandbox) == "heard ask\n")
      #expect(try await sandbox.qvm("port", "box", "rm", "\(added)").status == 0)

      // The next boot publishes what is on record, with another port where one is to be chosen.
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      let kept = try await ports("box", in: sandbox)
      #expect(
        kept == [
          PublishedPort(.udp, "127.0.0.1", udp, to: 53),
          PublishedPort(.tcp, "127.0.0.1", 0, to: 80),
          PublishedPort(.tcp, "127.0.0.1", 0, to: 81),
          PublishedPort(.tcp, "127.0.0.1", tcp, to: 81),
        ])
      #expect(try await sandbox.qvm("start", "-d", "box").status == 0)
      let again = try await ports("box", in: sandbox)
      #expect(again.map(\.guestPort).sorted() == [53, 80, 81, 81])
      try await serve()
      for port in again where port.transport == .tcp {
        #expect(try await answer(port.port, in: sandbox) == "heard ask\n", "\(port.text)")
      }
      #expect(try await reaches(udp, in: sandbox))
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  /// What can't be added to a running VM, or removed.
  private func checkRefusals(_ own: Int, in sandbox: Sandbox) async throws {
    let before = try await ports("box", in: sandbox)
    let ssh = try #require(try await sandbox.status("box")["sshPort"]?.int)
    let server = try GreetingServer([.silent])
    for (word, error) in [
      ("\(own):81", PortError.isOwn(try PublishedPort("\(own):81"), name: "box", isSSH: false)),
      ("\(ssh):80", .isOwn(try PublishedPort("\(ssh):80"), name: "box", isSSH: true)),
      ("\(server.port):80", .taken(try PublishedPort("\(server.port):80"), by: nil)),
      ("192.0.2.1:8080:80", .noSuchAddress("192.0.2.1")),
    ] {
      let add = try await sandbox.qvm("port", "box", "add", word)
      #expect(add.status == 1, "\(word)")
      #expect(add.reports(error), "\(add.err)")
    }
    let unknown = try await sandbox.qvm("port", "box", "rm", "1")
    #expect(unknown.status == 1)
    #expect(unknown.reports(PortError.notPublished("1", name: "box")))
    #expect(try await sandbox.qvm("port", "box", "add", "65536:80").status == 64)
    #expect(try await sandbox.qvm("port", "box", "add").status == 64)
    #expect(try await ports("box", in: sandbox) == before)
  }

  @Test func `a port that can't be had is an error before anything is made`() async throws {
    try await Sandbox.with { sandbox in
      let port = try freePort()
      let words = ["run", "-d", "--name", "box", "-p", "\(port):80"]
      #expect(try await sandbox.qvm(words + ["demo", "1"]).status == 0)
      // Its image would have to be downloaded, which fails here.
      for (word, error) in [
        (
          "\(port):81",
          PortError.taken(try PublishedPort("\(port):81"), by: PortHolder(name: "box"))
        ),
        ("192.0.2.1:0:80", .noSuchAddress("192.0.2.1")),
      ] {
        let run = try await sandbox.qvm(
          "run", "-d", "--name", "other", "-p", word, "freebsd", "14.2")
        #expect(run.status == 1)
        #expect(run.reports(error), "\(run.err)")
      }
      for words in [["-p", "1:80", "-p", "1:81"], ["-p", "80"], ["-p", "[::1]:80:80"]] {
        let run = try await sandbox.qvm(["run", "-d", "--name", "other"] + words + ["demo", "1"])
        #expect(run.status == 64, "\(run.err)")
      }
      #expect(!sandbox.exists("other"))
      // Another cache's VM is found by its process.
      var other = sandbox
      other.environment["QVM_CACHE"] = sandbox.folder.appending(path: "other").path
      let run = try await other.qvm("run", "-d", "--name", "box", "-p", "\(port):80", "demo", "1")
      let holder = PortHolder(name: "box", cache: sandbox.cache.path)
      #expect(
        run.reports(PortError.taken(try PublishedPort("\(port):80"), by: holder)), "\(run.err)")
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  @Test func `the ports of a stopped instance are those of its next boot`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      _ = try await sandbox.qvm("stop", "--force", "box")
      let (one, two) = (try freePort(), try freePort())
      let add = try await sandbox.qvm("port", "box", "add", "\(one):80", "0.0.0.0:\(two):81")
      #expect(add.status == 0, "\(add.err)")
      #expect(add.err.contains("other machines can reach port 81"), "\(add.err)")
      let twice = try await sandbox.qvm("port", "box", "add", "\(two):80")
      #expect(
        twice.reports(PortError.isOwn(try PublishedPort("\(two):80"), name: "box", isSSH: false)))
      let dry = try await sandbox.qvm("run", "--dry-run", "--name", "box", "demo", "1")
      #expect(dry.out.contains(",hostfwd=tcp:127.0.0.1:\(one)-:80,hostfwd=tcp:0.0.0.0:\(two)-:81"))
      #expect(try await sandbox.qvm("port", "box", "rm", "\(two)").out.contains("81/tcp"))
      // Options of a run hold for that boot alone.
      let run = try await sandbox.qvm(
        "run", "-d", "--name", "box", "-p", "0.0.0.0:0:82", "demo", "1")
      #expect(run.err.contains("--publish applies to this boot only"), "\(run.err)")
      #expect(run.err.contains("other machines can reach port 82"), "\(run.err)")
      #expect(try await ports("box", in: sandbox).map(\.guestPort) == [82])
      _ = try await sandbox.qvm("stop", "--force", "box")
      #expect(try await ports("box", in: sandbox) == [try PublishedPort("\(one):80")])
      #expect(try await sandbox.qvm("start", "-d", "box").status == 0)
      #expect(try await ports("box", in: sandbox) == [try PublishedPort("\(one):80")])
      let holder = try GreetingServer([.silent])
      _ = try await sandbox.qvm("stop", "--force", "box")
      try sandbox.change(
        "options", to: ["publish": [.string("\(holder.port):80")]], in: "instance.json", of: "box")
      let start = try await sandbox.qvm("start", "-d", "box")
      #expect(start.status == 1)
      #expect(start.reports(PortError.taken(try PublishedPort("\(holder.port):80"), by: nil)))
      #expect(try await sandbox.qvm("status", "box").status == 3)
    }
  }

  @Test(.enabled(if: geteuid() == 0 && PublishTests.hasPrivilegedPorts))
  func `a port that only root may have is an error that says so`() async throws {
    try await Sandbox.with { sandbox in
      let chown = try await sandbox.run(
        URL(filePath: "/usr/bin/env"), ["chown", "-R", "54321:0", sandbox.folder.path])
      #expect(chown.status == 0)
      let run = try await sandbox.run(
        URL(filePath: "/usr/bin/env"),
        [
          "setpriv", "--reuid", "54321", "--regid", "0", "--clear-groups",
          try Sandbox.program.path, "run", "-d", "-p", "80:80", "demo", "1",
        ])
      #expect(run.status == 1)
      #expect(run.reports(PortError.notPermitted(try PublishedPort("80:80"))), "\(run.err)")
    }
  }

  private static var hasPrivilegedPorts: Bool {
    let file = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
    let text = try? String(contentsOfFile: file, encoding: .utf8)
    return (text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 1024) > 80
  }

  /// If a QEMU learns to, `--publish` may take such addresses, too.
  @Test func `QEMU itself forwards no port of an IPv6 address`() async throws {
    try await Sandbox.with { sandbox in
      let run = try await sandbox.run(
        URL(filePath: "/usr/bin/env"),
        [
          "qemu-system-x86_64", "-display", "none", "-S", "-netdev",
          "user,id=n,hostfwd=tcp:[::1]:0-:80",
        ])
      #expect(run.status == 1)
      #expect(run.err.contains("Bad host address"), "\(run.err)")
    }
  }
}
