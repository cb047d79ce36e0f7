import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// What a restarted host, a pid that was given away and an init that reaps no process make of a VM.
@Suite(.timeLimit(.minutes(15))) struct HostRestartTests {
  /// Leaves a VM behind as a power cut does, with every trace of its QEMU leading to a bystander.
  private func leave(_ name: String, to bystander: Int32, in sandbox: Sandbox) async throws {
    _ = try await sandbox.qvm(
      ["run", "-d", "--rm", "--name", name, "demo", "1"],
      environment: ["QVM_TEST_BOOT_ID": "before"])
    let (supervisor, qemu) = sandbox.pids(of: name)
    kill(try #require(supervisor), SIGKILL)
    kill(try #require(qemu), SIGKILL)
    let lock = sandbox.folder(of: name).appending(path: "vm.lock").path
    try await eventually("no process lives") {
      let descriptor = open(lock, O_RDWR | O_CLOEXEC)
      defer { close(descriptor) }
      return flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }
    let stat = try String(contentsOfFile: "/proc/\(bystander)/stat", encoding: .utf8)
    let start = Int64(stat.split(separator: ")").last?.split(separator: " ")[19] ?? "") ?? 0
    for (member, value) in [
      ("pid", Int64(bystander)), ("supervisorPid", Int64(bystander)), ("start", start),
      ("supervisorStart", start),
    ] {
      try sandbox.change(member, to: .integer(value), in: "boot.json", of: name)
    }
    try Data("\(bystander)\n".utf8).write(
      to: sandbox.folder(of: name).appending(path: "qemu.pid"))
  }

  @Test
  func `after a restart of the host no process is signalled, and what crashed is kept and boots`()
    async throws
  {
    try await Sandbox.with { sandbox in
      sandbox.environment["QVM_TEST_BOOT_ID"] = "after"
      let bystander = try sandbox.start(URL(filePath: "/bin/sleep"), ["60"])
      defer { bystander.signal(SIGKILL) }
      for name in ["looked", "stopped", "removed", "booted"] {
        try await leave(name, to: bystander.pid, in: sandbox)
      }
      let status = try await sandbox.qvm("status", "--json", "looked")
      #expect(status.status == 3)
      #expect(status.json["phase"]?.string == "crashed")
      #expect(status.json["lastOutcome"]?["reason"]?.string == "host-reboot")
      #expect(try await sandbox.qvm("stop", "--force", "stopped", "looked").status == 0)
      #expect(try await sandbox.status("stopped")["phase"]?.string == "crashed")
      #expect(try await sandbox.qvm("rm", "--force", "removed").status == 0)
      #expect(!sandbox.exists("removed"))
      #expect(try await sandbox.qvm("start", "-d", "booted").status == 0)
      #expect(try await sandbox.status("booted")["phase"]?.string == "running")
      #expect(sandbox.processes.contains { $0.pid == bystander.pid }, "it was killed")
      bystander.signal(SIGKILL)
      _ = try await bystander.end()
    }
  }

  @Test func `a disk that a host was restarted under is looked through before it is booted`()
    async throws
  {
    try await Sandbox.with { sandbox in
      sandbox.environment["QVM_TEST_BOOT_ID"] = "after"
      let bystander = try sandbox.start(URL(filePath: "/bin/sleep"), ["60"])
      defer { bystander.signal(SIGKILL) }
      for name in ["whole", "torn"] { try await leave(name, to: bystander.pid, in: sandbox) }
      let whole = try await sandbox.qvm("start", "-d", "whole")
      #expect(whole.status == 0, "\(whole.err)")
      #expect(whole.err.contains("the host was restarted while whole ran"), "\(whole.err)")
      #expect(try await sandbox.qvm("stop", "whole").status == 0)
      // Once it was shut down properly there is nothing to look for.
      let again = try await sandbox.qvm("start", "-d", "whole")
      #expect(again.status == 0)
      // The line about how to get in is all that names it.
      let naming = again.err.split(separator: "\n").filter { $0.contains("whole") }
      #expect(naming.count == 1 && naming[0].contains("'qvm attach whole'"), "\(again.err)")

      // The table of the clusters in use, of which nothing had come to the disk.
      let disk = sandbox.folder(of: "torn").appending(path: "disk.qcow2")
      let handle = try FileHandle(forUpdating: disk)
      try handle.seek(toOffset: 0x10000)
      try handle.write(contentsOf: Data(repeating: 0, count: 0x10000))
      try handle.close()
      let torn = try await sandbox.qvm("start", "-d", "torn")
      #expect(torn.status == 1)
      #expect(
        torn.reports(InstanceError.diskCorrupt(name: "torn", path: disk.path, why: "")),
        "\(torn.err)")
      #expect(torn.err.contains("'qemu-img check -r all \(disk.path)'"), "\(torn.err)")
      #expect(try await sandbox.status("torn")["phase"]?.string == "crashed")
      _ = try await sandbox.run(try Tool.qemuImg.url, ["check", "-r", "all", disk.path])
      #expect(try await sandbox.qvm("start", "-d", "torn").status == 0)
      bystander.signal(SIGKILL)
      _ = try await bystander.end()
    }
  }

  /// Runs a script in a namespace of its own pids, whose first process it is.
  private func inNamespace(_ script: String, in sandbox: Sandbox) async throws -> Sandbox.Output {
    let program = try Sandbox.program.path
    return try await sandbox.run(
      try Tool.unshare.url,
      [
        "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child", "/bin/bash", "-c",
        "qvm() { '\(program)' \"$@\"; }\n"
          + "pid() { grep -o \"\\\"$2\\\":[0-9]*\" $QVM_CACHE/instances/$1/boot.json | cut -d: -f2; }\n"
          + script,
      ])
  }

  @Test func `a process that got the pid of a QEMU is neither signalled nor taken for it`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let result = try await inNamespace(
        """
        qvm run -d --rm --name vm demo 1 || exit 10
        S=$(pid vm supervisorPid) Q=$(pid vm pid)
        kill -9 $S $Q
        while [ -e /proc/$Q ]; do sleep 0.02; done
        # The next process gets this very pid.
        for attempt in 1 2 3 4 5; do
          echo $((Q - 1)) >/proc/sys/kernel/ns_last_pid
          sleep 60 & victim=$!
          [ $victim = $Q ] && break
          kill $victim
        done
        [ $victim = $Q ] || exit 11
        qvm status --json vm; [ $? = 3 ] || exit 12
        qvm stop --force vm || exit 13
        kill -0 $victim || exit 14
        qvm rm --force vm || exit 15
        kill -0 $victim || exit 16
        """, in: sandbox)
      #expect(result.status == 0, "\(result.status): \(result.err)")
      #expect(result.out.contains(#""phase":"crashed""#), "\(result.out)")
      #expect(result.out.contains(#""reason":"qemu-killed""#), "\(result.out)")
    }
  }

  @Test func `a QEMU that is not reaped has ended all the same`() async throws {
    try await Sandbox.with { sandbox in
      let checks = """
        qvm run -d --name killed demo 1 && qvm run -d --rm --name stopped demo 1 || exit 10
        qvm wait stopped --timeout 30 || exit 11
        Q=$(pid killed pid) R=$(pid stopped pid)
        kill -9 $(pid killed supervisorPid) $(pid stopped supervisorPid)
        kill -9 $Q
        qvm wait killed --for stopped --timeout 10 || exit 12
        grep -q '^State:.Z' /proc/$Q/status || exit 13
        qvm status --json killed; [ $? = 3 ] || exit 14
        qvm start -d killed && qvm rm --force killed || exit 15
        qvm stop stopped || exit 16
        grep -q '^State:.Z' /proc/$R/status || exit 17
        qvm status stopped; [ $? = 4 ] || exit 18
        """
      // The first process becomes one that waits for no child; the checks end it.
      let result = try await inNamespace(
        """
        export -f qvm pid
        mkfifo $HOME/end
        ( /bin/bash -c '\(checks.replacing("'", with: "'\\''"))'; echo "status $?"; : >$HOME/end ) &
        exec cat $HOME/end
        """, in: sandbox)
      #expect(result.out.contains("status 0"), "\(result.out)\(result.err)")
      #expect(result.out.contains(#""phase":"crashed""#), "\(result.out)")
    }
  }
}
