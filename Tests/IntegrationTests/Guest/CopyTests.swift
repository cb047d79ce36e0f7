import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Copies between this host and a real guest, whose tar is busybox's.
@Suite(.serialized, .timeLimit(.minutes(15))) struct CopyTests {
  private func boot(in sandbox: Sandbox) async throws {
    try await sandbox.plant(try LinuxGuest.linux.image, as: "freebsd-14.2-x86-64")
    let run = try await sandbox.qvm(
      "run", "-d", "--name", "box", "--memory", "512M", "--platform", "x86-64", "freebsd", "14.2")
    #expect(run.status == 0, "\(run.err)")
    #expect(try await sandbox.qvm("wait", "box", "--timeout", "59").status == 0)
  }

  private func shell(_ line: String, in sandbox: Sandbox) async throws -> Sandbox.Output {
    try await sandbox.run(
      URL(filePath: "/bin/sh"), ["-c", "cd \"$HOME\" && \(line)"],
      environment: ["qvm": try Sandbox.program.path])
  }

  /// What is in a folder: paths, kinds, modes and targets of links, by a line of shell.
  private static let listing =
    #"find . -exec stat -c '%A %Y %s %n' {} + | sed '/^[dl]/s/ [0-9]* [0-9]* / /' | sort; "#
    + "find . -type f -exec sh -c 'md5sum <\"$1\"' sh {} \\; | sort; find . -type l -exec readlink {} \\;"

  @Test func `what is copied in and out again is the same, as cp -R does it`() async throws {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await boot(in: sandbox)
      let make = try await shell(
        """
        umask 022; mkdir -p 'src/a b/empty' src/ro src/deep
        echo one >src/one; echo two >"src/a b/new\nline"; echo r >src/ro/r; ln -s one src/link
        ln -s /nowhere src/dangling; chmod 750 src/one; touch -d 2001-02-03 src/one; chmod 555 src/ro
        head -c 3000000 /dev/urandom >"src/$(printf %0150d 1)"; mkfifo src/pipe
        ln src/one src/deep/hard; touch src/-n 'src/it'"'"'s $HOME!'
        """, in: sandbox)
      #expect(make.status == 0, "\(make.err)")
      let first = try await sandbox.qvm("cp", "\(sandbox.folder.path)/src", "box:")
      #expect(first.status == 0, "\(first.err)")
      #expect(first.err.contains("src/pipe"), "\(first.err)")
      // Where it is there already, the copy is put into it, and replaces what has the same name.
      let guest = try await sandbox.qvm("exec", "box", "cd src && \(Self.listing)")
      _ = try await shell("rm src/pipe", in: sandbox)
      let host = try await shell("cd src && \(Self.listing)", in: sandbox)
      #expect(guest.out == host.out)
      let other = try await sandbox.qvm("cp", "\(sandbox.folder.path)/src", "box:copies/")
      #expect(other.status == 0, "\(other.err)")
      let copy = try await sandbox.qvm("exec", "box", "cd copies && \(Self.listing)")
      #expect(copy.out == host.out)
      let into = try await shell("\"$qvm\" cp src src/one box:copies", in: sandbox)
      #expect(into.status == 0, "\(into.err)")
      #expect(
        try await sandbox.qvm("exec", "box", "cat copies/src/one; stat -c %U copies/src").out
          == "one\nrunner\n")
      let merged = try await shell("echo 1 >src/one && \"$qvm\" cp src/. box:src", in: sandbox)
      #expect(merged.status == 0, "\(merged.err)")
      #expect(
        try await sandbox.qvm("exec", "box", "cat src/one; ls -A | grep -c qvm-").out == "1\n0\n")

      // And back.
      let back = try await shell(
        "\"$qvm\" cp box:src back && \"$qvm\" cp 'box:src/o*' box:/etc/passwd back && ls back/passwd",
        in: sandbox)
      #expect(back.status == 0, "\(back.err)")
      let compared = try await shell(
        "rm back/passwd; (cd src && \(Self.listing)) >1; (cd back && \(Self.listing)) >2; diff 1 2",
        in: sandbox)
      #expect(compared.out.isEmpty, "\(compared.out)")
      try await checkErrors(in: sandbox)
      try await checkUntrusted(in: sandbox)
      try await checkGit(in: sandbox)
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  private func checkErrors(in sandbox: Sandbox) async throws {
    func fails(_ line: String, with problem: CopyError, status: Int32 = 1) async throws {
      let output = try await shell("\"$qvm\" cp \(line)", in: sandbox)
      #expect(output.status == status, "\(line): \(output.err)")
      #expect(output.reports(problem), "\(line): \(output.err)")
    }
    try await fails("nothing box:", with: .missingOnHost("nothing"))
    try await fails("box:nothing .", with: .guest(.missing("nothing"), name: "box"))
    try await fails("src/one box:no/x", with: .guest(.noFolder("no"), name: "box"))
    try await fails("src/one box:no/", with: .guest(.notFolder("no/"), name: "box"))
    try await fails("src box:src/one", with: .guest(.occupied("src/one"), name: "box"))
    try await fails("src src/one box:no", with: .guest(.several, name: "box"))
    try await fails("box:src src/one", with: .hostNotFolder("src/one"))
    try await fails("box:src no/x", with: .noHostFolder("no"))
    try await fails("src/one back/one box:", with: .sameName("src/one", "back/one"))
    let usage = try await shell("\"$qvm\" cp src/one back", in: sandbox)
    #expect(usage.status == 64)
    let colon = try await shell("touch a:b && \"$qvm\" cp ./a:b box:", in: sandbox)
    #expect(colon.status == 0, "\(colon.err)")
    let other = try await shell("\"$qvm\" cp a:b box:", in: sandbox)
    #expect(other.status == 64)

    // A full disk, on which nothing is left.
    let mount = try await sandbox.qvm(
      "exec", "-u", "root", "box",
      "mkdir /small && mount -t tmpfs -o size=2m,mode=777 none /small && echo old >/small/big")
    #expect(mount.status == 0, "\(mount.err)")
    _ = try await shell("head -c 9000000 /dev/zero >big", in: sandbox)
    try await fails("big box:/small", with: .guest(.full(place: "/small"), name: "box"))
    #expect(try await sandbox.qvm("exec", "box", "cat /small/*; ls -A /small").out == "old\nbig\n")
  }

  /// What a guest sends is not trusted, and a file that can't be read doesn't keep the others back.
  private func checkUntrusted(in sandbox: Sandbox) async throws {
    let make = try await sandbox.qvm(
      "exec", "box", "mkdir w && cd w && echo s >s && chmod 4755 s && echo n >n && chmod 0 n")
    #expect(make.status == 0)
    let copy = try await shell(
      "\"$qvm\" cp box:w w; s=$?; stat -c %a w/s; ls w; exit $s", in: sandbox)
    #expect(copy.status == 1)
    #expect(copy.out == "755\ns\n")
    #expect(copy.err.contains("/n"), "\(copy.err)")
    let asked = try await shell("\"$qvm\" cp --special-bits box:w/s s; stat -c %a s", in: sandbox)
    #expect(asked.out == "4755\n")
    let root = try await shell(
      "\"$qvm\" cp -u root --exclude s box:/home/runner/w . && ls w", in: sandbox)
    #expect(root.out == "n\ns\n", "\(root.err)")
    #expect(root.status == 0)
  }

  private func checkGit(in sandbox: Sandbox) async throws {
    let make = try await shell(
      """
      mkdir -p p/sub && cd p && git init -q . && echo '*.o' >.gitignore && touch a.c a.o sub/b.c sub/b.o gone
      git add . && rm gone && cd .. && "$qvm" cp p box: && "$qvm" cp -a --exclude .git p box:all
      """, in: sandbox)
    #expect(make.status == 0, "\(make.err)")
    let listing = try await sandbox.qvm(
      "exec", "box", "cd p && ls -A . sub && cd ../all && ls -A . sub")
    #expect(
      listing.out
        == ".:\n.git\n.gitignore\na.c\nsub\n\nsub:\nb.c\n.:\n.gitignore\na.c\na.o\nsub\n\nsub:\nb.c\nb.o\n"
    )
  }

  @Test func `copies at once, interrupted, and of a guest that ends leave nothing half`()
    async throws
  {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await boot(in: sandbox)
      _ = try await shell("head -c 40000000 /dev/urandom >big", in: sandbox)
      let big = "\(sandbox.folder.path)/big"
      let running = try (1...2).map { _ in try sandbox.start("cp", big, "box:big") }
      for copy in running { #expect(try await copy.end(within: .seconds(180)).status == 0) }
      let sums = try await sandbox.qvm("exec", "box", "md5sum <big; ls -A")
      let own = try await shell("md5sum <big", in: sandbox)
      #expect(sums.out == own.out + "big\n")

      // A signal while it is under way, in either direction; copying holes takes long.
      _ = try await shell("truncate -s 1G holes", in: sandbox)
      let begun = try sandbox.start(
        "exec", "box", "until ls -A | grep -q '^[.]qvm-'; do sleep 0.05; done")
      let up = try sandbox.start("cp", "\(sandbox.folder.path)/holes", "box:part")
      #expect(try await begun.end().status == 0)
      up.signal(SIGINT)
      #expect(try await up.end().status == 130)
      try await eventually("nothing of it is left") {
        try await sandbox.qvm("exec", "box", "ls -A; ps | grep '[t]ar -x'").out == "big\n"
      }
      let target = sandbox.folder.appending(path: "target")
      try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
      #expect(try await sandbox.qvm("exec", "box", "truncate -s 1G holes").status == 0)
      let down = try sandbox.start("cp", "box:holes", target.path)
      try await eventually("it has begun") { !Files.list(target.path).isEmpty }
      down.signal(SIGTERM)
      #expect(try await down.end().status == 130)
      #expect(Files.list(target.path).isEmpty)

      // A small disk on this host.
      let small = sandbox.folder.appending(path: "small")
      try await SmallDisk.with(sandbox, at: small, size: "4m") { disk in
        let full = try await disk.qvm("cp", "box:big", small.path)
        #expect(full.status == 1)
        #expect(full.err.contains("the disk at \(small.path) is full"), "\(full.err)")
        #expect(try await disk.shell("ls -A '\(small.path)'").isEmpty)
      }

      // A guest that is gone.
      let lost = try sandbox.start("cp", "box:holes", target.path)
      try await eventually("it has begun") { !Files.list(target.path).isEmpty }
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
      let end = try await lost.end()
      #expect(end.status == 5, "\(end.err)")
      #expect(end.err.contains("the guest is gone"), "\(end.err)")
      #expect(Files.list(target.path).isEmpty)
    }
  }
}
