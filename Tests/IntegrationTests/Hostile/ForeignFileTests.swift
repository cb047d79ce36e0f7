import Foundation
import QMPClient
@testable import QVMControl
import TestSupport
import Testing

/// Links and other people's folders where qvm is about to write, and who may read what it wrote.
@Suite(.timeLimit(.minutes(15))) struct ForeignFileTests {
  private let manager = FileManager.default

  /// Where qvm makes folders below a cache before it has an instance.
  @Test(arguments: ["images", "instances", "downloads", "qemu", "images/builtin", "instances/box"])
  func `a link in a folder's place is refused, and nothing is written through it`(place: String)
    async throws
  {
    try await Sandbox.with { sandbox in
      let target = sandbox.folder.appending(path: "target")
      try manager.createDirectory(at: target, withIntermediateDirectories: false)
      let link = sandbox.cache.appending(path: place)
      try manager.createDirectory(
        at: link.deletingLastPathComponent(), withIntermediateDirectories: true)
      try manager.createSymbolicLink(at: link, withDestinationURL: target)
      let run = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
      #expect(run.status == 1)
      #expect(
        run.reports(
          FileError(
            verb: place == "instances/box" ? "create" : "use", path: link.path, cause: .isLink)),
        "\(run.err)")
      #expect(try manager.contentsOfDirectory(atPath: target.path) == [])
    }
  }

  private static let files = [
    "instance.json", "boot.json", "outcome.json", "vm.lock", "supervisor.lock", "qemu.pid",
    "console.log", "qemu.log", "supervisor.log",
  ]

  @Test func `nothing is written through a link in a file's place`() async throws {
    try await Sandbox.with { sandbox in
      let instance = try await stopped(in: sandbox)
      let target = sandbox.folder.appending(path: "target")
      for name in Self.files {
        for isHard in [false, true] {
          let file = instance.appending(path: name)
          let aside = instance.appending(path: "aside")
          let isThere = manager.fileExists(atPath: file.path)
          let content = isThere ? try Data(contentsOf: file) : Data("untouched".utf8)
          try content.write(to: target)
          if isThere { try manager.moveItem(at: file, to: aside) }
          if isHard {
            try manager.linkItem(at: target, to: file)
          } else {
            try manager.createSymbolicLink(at: file, withDestinationURL: target)
          }
          let start = try await sandbox.qvm("start", "-d", "box")
          let what = "\(name), \(isHard ? "hard" : "symbolic"): \(start.err)"
          #expect(try Data(contentsOf: target) == content, "\(what)")
          if start.status != 0 { #expect(start.err.contains(file.path), "\(what)") }
          // A file that is replaced as a whole may have stood for anything; one that is written
          // to may not, nor one that is locked by its name.
          let isWrittenTo = name.hasSuffix(".log") || name.hasSuffix(".lock") && !isHard
          #expect(start.status == (isWrittenTo ? 1 : 0), "\(what)")
          if start.status == 0 { _ = try await sandbox.qvm("stop", "--force", "box") }
          try? manager.removeItem(at: file)
          if isThere { try manager.moveItem(at: aside, to: file) }
        }
      }
      #expect(try await sandbox.qvm("start", "-d", "box").status == 0)
    }
  }

  /// A demo instance named `box` that was booted once; its folder.
  private func stopped(in sandbox: Sandbox) async throws -> URL {
    #expect(try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1").status == 0)
    _ = try await sandbox.qvm("stop", "--force", "box")
    return sandbox.cache.appending(path: "instances/box")
  }

  @Test func `what lies in the place of the link to the sockets is refused, named, and stays`()
    async throws
  {
    try await Sandbox.with { sandbox in
      sandbox.lengthenCache()
      // Where it will be.
      let printed = try await sandbox.qvm("run", "--dry-run", "--name", "box", "demo", "1").out
      let path = try #require(printed.firstMatch(of: /path=([^,]*)\/monitor.sock/)?.1)
      let link = URL(filePath: String(path))
      let parent = link.deletingLastPathComponent()
      let target = sandbox.folder.appending(path: "target")
      try Data("untouched".utf8).write(to: target)
      func run(_ status: Int32, _ comment: Comment) async throws -> String {
        let run = try await sandbox.qvm("run", "-d", "--name", "box", "demo", "1")
        #expect(run.status == status, comment)
        #expect(try Data(contentsOf: target) == Data("untouched".utf8))
        if status == 0 { _ = try await sandbox.qvm("rm", "--force", "box") }
        #expect(try await sandbox.qvm("status", "box").status == 4)
        return run.err
      }
      for kind in ["file", "folder"] {
        try manager.createDirectory(
          at: parent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if kind == "file" {
          try Data("untouched".utf8).write(to: link)
        } else {
          try manager.createDirectory(at: link, withIntermediateDirectories: false)
        }
        let error = try await run(1, "\(kind)")
        #expect(error.contains("\(link.path): something else is in its place"), "\(error)")
        #expect(error.contains("XDG_RUNTIME_DIR"))
        #expect((try? manager.attributesOfItem(atPath: link.path)) != nil, "it was removed")
        try manager.removeItem(at: link)
      }
      // One that leads elsewhere is this user's, and not followed.
      try manager.createSymbolicLink(at: link, withDestinationURL: target)
      _ = try await run(0, "a link")
      try manager.removeItem(at: parent)
      try manager.createSymbolicLink(at: parent, withDestinationURL: sandbox.folder)
      let error = try await run(1, "a link in the place of its folder")
      #expect(error.contains("\(parent.path): it is a symbolic link"), "\(error)")
      try manager.removeItem(at: parent)
    }
  }

  @Test func `in a shared folder for temporary files a stranger's folder is not used`()
    async throws
  {
    try await Sandbox.with { sandbox in
      // A namespace with a /tmp of its own; the sandbox and the program are seen there through
      // open descriptors.
      var plants = ["ln -s /proc /tmp/qvm-0", "touch /tmp/qvm-0"]
      if geteuid() == 0 { plants.append("mkdir -m 777 /tmp/qvm-0; chown 7:7 /tmp/qvm-0") }
      for plant in plants {
        // Another folder that is shared is used instead.
        let run = try await inOwnTemporaryFolder(sandbox, "\(plant); chmod 777 /tmp")
        #expect(run.status == 0, "\(run.err)")
        #expect(run.out.contains("path=/var/tmp/qvm-0/"), "\(run.out)")
        let both = try await inOwnTemporaryFolder(
          sandbox, "\(plant); \(plant.replacing("/tmp/", with: "/var/tmp/"))")
        #expect(both.status == 1, "\(both.err)")
        #expect(both.err.contains("/tmp/qvm-0: "), "\(both.err)")
        #expect(both.err.contains("XDG_RUNTIME_DIR"))
      }
    }
  }

  /// Runs the demo guest with a /tmp that a line of shell has prepared, and without a runtime
  /// folder of its own.
  private func inOwnTemporaryFolder(
    _ sandbox: Sandbox, _ prepare: String
  ) async throws -> Sandbox.Output {
    let script = """
      exec 8<'\(try Sandbox.program.path)'
      mount -t tmpfs tmp /tmp
      mount -t tmpfs tmp /var/tmp
      \(prepare)
      export XDG_RUNTIME_DIR= QVM_CACHE=/tmp/\(String(repeating: "long", count: 30)) TMPDIR=/nowhere
      /proc/self/fd/8 run -d --rm --name box demo 1 && cat /tmp/long*/instances/box/boot.json &&
        exec /proc/self/fd/8 stop --force box
      """
    let user = geteuid() == 0 ? [] : ["--user", "--map-root-user"]
    return try await sandbox.run(
      URL(filePath: "/usr/bin/unshare"), user + ["--mount", "sh", "-c", script])
  }

  // MARK: - Permissions

  @Test func `with a careless umask all that is made is the user's alone`() async throws {
    try await Sandbox.with { sandbox in
      let program = try Sandbox.program.path
      func careless(_ words: String) async throws {
        let run = try await sandbox.run(
          URL(filePath: "/bin/sh"), ["-c", "umask 000; exec '\(program)' \(words)"])
        #expect(run.status == 0, "\(run.err)")
      }
      try await careless("run -d --name box demo 1")
      try await careless("wait box --timeout 30")
      var kinds: Set<String> = []
      for root in [sandbox.cache] {
        let names = try manager.subpathsOfDirectory(atPath: root.path)
        for path in [root.path] + names.map({ "\(root.path)/\($0)" }) {
          var status = stat()
          guard lstat(path, &status) == 0 else { continue }
          let mode = status.st_mode & 0o777
          switch status.st_mode & S_IFMT {
          case S_IFDIR: #expect(mode == 0o700, "\(path)")
          case S_IFSOCK: #expect(mode & 0o077 == 0, "\(path)")
          // Firmware is linked to.
          case S_IFLNK: continue
          default: #expect(mode == (path.hasSuffix("-64.qcow2") ? 0o444 : 0o600), "\(path)")
          }
          kinds.insert(String(path.split(separator: ".").last ?? ""))
        }
      }
      #expect(kinds.isSuperset(of: ["sock", "log", "json", "qcow2", "lock", "pid"]))
      try await careless("stop box")
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can make another user's cache"))
  func `in another user's cache nothing is made, by root neither`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await stopped(in: sandbox)
      let before = try tree(sandbox.cache)
      func give(to user: uid_t) {
        for name in [""] + before { _ = lchown("\(sandbox.cache.path)/\(name)", user, user) }
      }
      give(to: 65_534)
      for words in [
        ["run", "-d", "demo", "1"], ["start", "-d", "box"], ["rm", "box"],
        ["pull", "demo", "1"], ["run", "-d", "--name", "box", "demo", "1"],
      ] {
        let result = try await sandbox.qvm(words)
        #expect(result.status == 1, "\(words): \(result.out)")
        #expect(
          result.reports(FileError(verb: "use", path: sandbox.cache.path, cause: .notOwned)),
          "\(words): \(result.err)")
      }
      // Those that only read tell what is there.
      #expect(try await sandbox.status("box")["phase"]?.string == "stopped")
      #expect(try await sandbox.qvm("list").out.contains("box"))
      #expect(try tree(sandbox.cache) == before)
      give(to: 0)
    }
  }

  @Test(
    .enabled(if: geteuid() == 0, "only root can use another user's home"),
    arguments: ["HOME", "XDG_CACHE_HOME"])
  func `root makes nothing in another user's home, and says what to do instead`(
    variable: String
  ) async throws {
    try await Sandbox.with { sandbox in
      let home = sandbox.folder.appending(path: "home")
      // Root's own in it, as an earlier sudo leaves it, changes nothing.
      let inner = home.appending(path: "inner")
      try manager.createDirectory(at: inner, withIntermediateDirectories: true)
      #expect(chown(home.path, 65_534, 65_534) == 0)
      sandbox.environment["QVM_CACHE"] = ""
      sandbox.environment[variable] = home.path
      for words in [["run", "-d", "demo", "1"], ["pull", "demo", "1"]] {
        let result = try await sandbox.qvm(words)
        #expect(result.status == 1, "\(words)")
        #expect(result.reports(CacheError.foreignHome(home.path)), "\(result.err)")
      }
      for words in ["list", "images", "verify", "prune", "doctor", "status box", "stop box"] {
        _ = try await sandbox.qvm(words.split(separator: " ").map(String.init))
      }
      #expect(try tree(home) == ["inner"])
      // What is asked for by name may be anywhere.
      let chosen = ["QVM_CACHE": home.appending(path: "chosen").path]
      let pull = try await sandbox.qvm(["pull", "demo", "1"], environment: chosen)
      #expect(pull.status == 0, "\(pull.err)")
      // A container's home may come from outside, and belong to no user who has an account in it.
      #expect(chown(home.path, 54_321, 54_321) == 0)
      let sudo = try await sandbox.qvm(["pull", "demo", "1"], environment: ["SUDO_UID": "54321"])
      #expect(sudo.status == 1)
      let contained = try await sandbox.qvm("pull", "demo", "1")
      #expect(contained.status == 0, "\(contained.err)")
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can become another user"))
  func `what may not be read is not said to be absent`() async throws {
    try await Sandbox.with { sandbox in
      _ = try await stopped(in: sandbox)
      // The program's own folder need not be open to others.
      let program = "/proc/self/fd/8"
      for words in ["list", "status box", "stop box", "logs box", "start box"] {
        let result = try await sandbox.run(
          URL(filePath: "/bin/sh"),
          [
            "-c",
            "exec 8<'\(try Sandbox.program.path)'; chmod 711 '\(sandbox.folder.path)';"
              + " exec setpriv --reuid 65534 --regid 65534 --clear-groups \(program) \(words)",
          ])
        #expect(result.status == 1, "\(words)")
        #expect(result.err.contains("/cache/instances: Permission denied"), "\(result.err)")
      }
    }
  }

  private func tree(_ folder: URL) throws -> [String] {
    try manager.subpathsOfDirectory(atPath: folder.path).sorted()
  }

  // MARK: - Disks that take nothing

  @Test func `a cache that can't be written is one clear line`() async throws {
    try await Sandbox.with { sandbox in
      let program = try Sandbox.program.path
      let cache = sandbox.cache.path
      let user = geteuid() == 0 ? [] : ["--user", "--map-root-user"]
      let disks = [
        ("mount -t tmpfs -o ro ro '\(cache)'", "Read-only file system"),
        (
          "mount -t tmpfs -o size=64k small '\(cache)'; cat /dev/zero >'\(cache)/x' 2>&1",
          "No space"
        ),
        (
          "mount -t tmpfs -o size=200k small '\(cache)'; mkdir '\(cache)/qemu';"
            + " cat /dev/zero >'\(cache)/x' 2>&1", "No space"
        ),
      ]
      for (mount, says) in disks {
        let script = "mkdir -p '\(cache)'; \(mount); exec '\(program)' run -d --name box demo 1"
        let run = try await sandbox.run(
          URL(filePath: "/usr/bin/unshare"), user + ["--mount", "sh", "-c", script])
        #expect(run.status == 1)
        let lines = run.err.split(separator: "\n")
        #expect(lines.count == 2, "\(run.err)")
        #expect(lines.first?.contains(says) == true, "\(run.err)")
        #expect(lines.first?.contains(cache) == true, "\(run.err)")
      }
    }
  }
}
