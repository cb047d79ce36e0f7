import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Files that go into a guest with a command, and come back after it.
@Suite(.serialized, .timeLimit(.minutes(15))) struct VolumeTests {
  private static let guest = ["--memory", "512M", "--platform", "x86-64", "freebsd", "14.2"]

  private func shell(_ line: String, in sandbox: Sandbox) async throws -> Sandbox.Output {
    try await sandbox.run(
      URL(filePath: "/bin/sh"), ["-c", "cd \"$HOME\" && umask 022 && \(line)"],
      environment: ["qvm": try Sandbox.program.path])
  }

  private func prepare(_ sandbox: Sandbox) async throws {
    try await sandbox.plant(try LinuxGuest.linux.image, as: "freebsd-14.2-x86-64")
  }

  /// Runs a command with options in a folder of the home; the command may contain no single quote.
  private func run(
    _ options: String, _ command: String, in folder: String = "p", _ sandbox: Sandbox
  ) async throws -> Sandbox.Output {
    let words = Self.guest.joined(separator: " ")
    let line =
      "cd '\(folder)' && exec \"$qvm\" run --rm --name once \(options) \(words) -- '\(command)'"
    let start = try sandbox.start(
      URL(filePath: "/usr/bin/env"),
      ["qvm=\(try Sandbox.program.path)", "sh", "-c", "cd \"$HOME\" && umask 022 && \(line)"])
    return try await start.end(within: .seconds(180))
  }

  @Test func `what a command changes in a volume comes back, also when it fails`() async throws {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await prepare(sandbox)
      let make = try await shell(
        """
        mkdir -p p/sub p/gone p/build && cd p && git init -q . && echo build/ >.gitignore
        echo a >a; echo b >b; echo mine >mine; echo 1 >gone/1; echo 2 >gone/2; echo host >build/x
        ln -s a link; echo single >../single; echo e >e
        for i in $(seq 300); do echo $i >sub/$i; done
        """, in: sandbox)
      #expect(make.status == 0, "\(make.err)")
      // The command waits until this host has changed a file, too.
      let script = """
        pwd; echo "$A"; cat ../../data/one; ls build 2>&1 | head -1; cd ..
        echo changed >a; touch -t 200101010000.00 /tmp/old; mv /tmp/old old; mkdir -p empty new/er build
        echo x >new/er/x; rm -r gone; rm link; ln -s b link; chmod 755 new/er/x; echo guest >build/x
        echo y >build/y; touch .git/evil; echo theirs >mine; echo more >>../data/one; echo e2 >e
        echo waits; until [ -e /tmp/go ]; do sleep 0.2; done; exit 7
        """
      let words =
        [
          "run", "--rm", "--name", "once", "-v", "..:rw", "-v", "../../single:data/one:rw",
          "-e", "A=b c",
        ] + Self.guest + ["--", script]
      let quoted = words.map { "'\($0.replacing("'", with: #"'\''"#))'" }.joined(separator: " ")
      let command = try sandbox.start(
        URL(filePath: "/bin/sh"),
        [
          "-c",
          "cd '\(sandbox.folder.path)/p/sub' && umask 022 && exec '\(try Sandbox.program.path)' \(quoted)",
        ])
      try await eventually("the command runs", within: .seconds(120)) {
        command.output.out.contains("waits\n") || kill(command.pid, 0) != 0
      }
      _ = try await shell("echo host >p/mine; rm p/e", in: sandbox)
      #expect(try await sandbox.qvm("exec", "once", "touch /tmp/go").status == 0)
      let end = try await command.end(within: .seconds(120))
      #expect(end.status == 7, "\(end.err)")
      #expect(end.out.hasPrefix("/home/runner/p/sub\nb c\nsingle\n"), "\(end.out)")
      let left = try await shell(
        """
        cd p; cat a mine mine.guest build/x build/x.guest build/y new/er/x ../single e; readlink link
        stat -c '%Y %a' old new/er/x empty; ls gone; ls -A | tr '\\n' ' '; ls .git | grep evil
        """, in: sandbox)
      #expect(
        left.out.split(separator: "\n").map(String.init).filter { !$0.hasSuffix(" 755") } == [
          "changed", "host", "theirs", "host", "guest", "y", "x", "single", "more", "e2", "b",
          "978307200 644", "1", "2",
          ".git .gitignore a b build e empty gone link mine mine.guest new old sub ",
        ], "\(left.out)")
      #expect(end.err.contains("mine.guest"), "\(end.err)")
      #expect(end.err.contains("kept here in '..': gone\n"), "\(end.err)")
      #expect(end.err.contains(".git' stays in the guest"), "\(end.err)")
      #expect(!sandbox.exists("once"))
    }
  }

  @Test func `outputs are fetched after a failure, as root if needed, and the status stays`()
    async throws
  {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await prepare(sandbox)
      _ = try await shell("mkdir -p p/out; echo old >p/out/b.log; echo in >p/f", in: sandbox)
      let end = try await run(
        "-v .:/src -w /src --output '*.log:out' --output secret --output /root/r --output nothing",
        "cat f; echo a >a.log; echo b >b.log; mkdir secret; echo s >secret/s; sudo chown 0 secret/s;"
          + " sudo chmod 0 secret/s; sudo sh -c \"echo r >/root/r; chmod 600 /root/r\"; exit 3",
        sandbox)
      #expect(end.status == 3, "\(end.err)")
      #expect(end.out == "in\n")
      #expect(end.err.contains("nothing"), "\(end.err)")
      let left = try await shell("cd p; cat out/* secret/s r; ls", in: sandbox)
      #expect(left.out == "a\nb\ns\nr\nf\nout\nr\nsecret\n", "\(left.out)\(end.err)")
    }
  }

  @Test func `a guest that crashes in the middle leaves this host as it was, and that is said`()
    async throws
  {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await prepare(sandbox)
      _ = try await shell("mkdir p; echo a >p/a", in: sandbox)
      let words = Self.guest.joined(separator: " ")
      let command = try sandbox.start(
        URL(filePath: "/bin/sh"),
        [
          "-c",
          "cd '\(sandbox.folder.path)' && exec '\(try Sandbox.program.path)' run --name once -v p:rw \(words)"
            + " -- 'echo b >p/a; truncate -s 2G p/holes; echo done'",
        ])
      let volume = "\(sandbox.folder.path)/p"
      try await eventually("it comes back", within: .seconds(120)) {
        Files.list(volume).contains { $0.hasPrefix(".qvm-") }
      }
      kill(try #require(sandbox.pids(of: "once").qemu), SIGKILL)
      let end = try await command.end(within: .seconds(60))
      #expect(end.status != 0)
      #expect(end.err.contains("what the command changed in 'p' was not copied back"), "\(end.err)")
      #expect(try await shell("cat p/a; ls -A p", in: sandbox).out == "a\na\n")
    }
  }

  @Test func `what can't be is an error before anything is booted`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await shell("mkdir p; ln -s /dev/null dev", in: sandbox)
      for (options, failure) in [
        ("-v no", Volume.Failure.missing("no")), ("-v p:/", .ontoRoot("p:/")),
        ("-v p:/x/..", .ontoRoot("p:/x/..")), ("-v p:../x", .leadsUp("p:../x")),
        ("-v p:x -v p:x/", .twice(GuestPath("x"))), ("-v dev", .unfit("dev")),
      ] {
        let end = try await run(options, "true", in: ".", sandbox)
        #expect(end.status == 64, "\(options): \(end.err)")
        #expect(end.reports(failure), "\(options): \(end.err)")
      }
      let output = try await run("--output x:no/y", "true", in: ".", sandbox)
      #expect(output.status == 1)
      #expect(output.reports(CopyError.noHostFolder("no")), "\(output.err)")
      for option in ["-v p", "--output x", "-e A=b", "-w x"] {
        let words = option.split(separator: " ").map(String.init)
        let end = try await sandbox.qvm(["run"] + words + Self.guest)
        #expect(end.status == 64)
        #expect(end.err.contains("COMMAND"), "\(end.err)")
      }
      #expect(try await sandbox.qvm("list", "-q").out == "")
    }
  }
}
