import Foundation
import QMPClient
import TestSupport
import Testing

/// What a command says about a download that nothing vouches for.
@Suite(.timeLimit(.minutes(15))) struct UnverifiedDownloadTests {
  @Test func `an image without a known digest is told once, and not where it is quiet`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      try server.setFault(.withoutDigest, for: "\(ReleasedImage.repository).json")
      let pull = try await sandbox.qvm(["pull"] + ReleasedImage.words)
      #expect(pull.status == 0)
      let lines = pull.err.split(separator: "\n").filter { $0.contains("unverified") }
      #expect(
        lines == ["qvm: \(ReleasedImage.asset) of v0.1.0 is unverified: no digest of it is known"])
      #expect(try await sandbox.qvm(["pull"] + ReleasedImage.words).err.isEmpty)
      try FileManager.default.removeItem(at: sandbox.cache.appending(path: "images"))
      let quiet = try await sandbox.qvm(["pull", "--quiet"] + ReleasedImage.words)
      #expect(quiet.status == 0)
      #expect(quiet.err.isEmpty)
    }
  }

  @Test func `what is refused isn't called unverified before`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      try server.setFault(.withoutDigest, for: "\(ReleasedImage.repository).json")
      try server.publish(
        Data("no image".utf8), as: ReleasedImage.asset, tag: "v0.1.0",
        in: ReleasedImage.repository)
      let pull = try await sandbox.qvm(["pull"] + ReleasedImage.words)
      #expect(pull.status == 1)
      #expect(!pull.err.contains("unverified"), "\(pull.err)")
    }
  }

  @Test func `without a program for digests an image is unverified, and that is said`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      let bin = sandbox.folder.appending(path: "few")
      try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
      for tool in ["curl", "tar"] {
        try FileManager.default.createSymbolicLink(
          atPath: bin.appending(path: tool).path, withDestinationPath: "/usr/bin/\(tool)")
      }
      for tool in [Tool.qemuImg, .qemuX86] {
        let program = try tool.url
        try FileManager.default.createSymbolicLink(
          at: bin.appending(path: program.lastPathComponent), withDestinationURL: program)
      }
      sandbox.environment["PATH"] = bin.path
      let pull = try await sandbox.qvm(["pull"] + ReleasedImage.words)
      #expect(pull.status == 0, "\(pull.err)")
      #expect(
        pull.err.contains("unverified") && pull.err.contains("sha256sum"), "\(pull.err)")
      let images = try await sandbox.qvm("images", "--json").json["images"]?.array
      #expect(images?.first?["verified"]?.bool == false)
      withExtendedLifetime(server) {}
    }
  }

  private func results(_ words: [String], in sandbox: Sandbox) async throws -> [String] {
    let output = try await sandbox.qvm(words + ["--json"])
    return (output.json["images"]?.array ?? []).compactMap {
      $0["result"]?.string ?? $0["verified"]?.bool.map { "\($0)" }
    }
  }

  @Test(arguments: ["verify", "pull --refresh", "pull --release v0.1.0"])
  func `once its release names a digest, an image is held to it and verified`(
    command: String
  ) async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      let listing = "\(ReleasedImage.repository).json"
      try server.setFault(.withoutDigest, for: listing)
      #expect(try await sandbox.qvm(["pull"] + ReleasedImage.words).status == 0)
      #expect(try await results(["verify"], in: sandbox) == ["unverified"])
      // Where no server can be asked it stays so, and that is no failure.
      try server.setFault(.status(403), for: listing)
      let deaf = try await sandbox.qvm("verify")
      #expect(deaf.status == 0)
      #expect(deaf.out.contains("unverified"))
      #expect(deaf.err.contains("403"), "\(deaf.err)")

      try server.setFault(nil, for: listing)
      let words = command.split(separator: " ").map(String.init)
      let isPull = words[0] == "pull"
      let downloads = server.transfers(of: ReleasedImage.asset).count
      let held = try await sandbox.qvm(words + (isPull ? ReleasedImage.words : []))
      #expect(held.status == 0, "\(held.err)")
      #expect(try await results(["images"], in: sandbox) == ["true"])
      // On record: no server is asked once more.
      sandbox.environment["QVM_BASE_URL"] = "http://127.0.0.1:1/none"
      #expect(try await results(["verify"], in: sandbox) == ["ok"])
      #expect(server.transfers(of: ReleasedImage.asset).count == downloads)
    }
  }

  @Test func `an image that isn't what its release names is told, and can be fetched anew`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      let listing = "\(ReleasedImage.repository).json"
      try server.setFault(.withoutDigest, for: listing)
      #expect(try await sandbox.qvm(["pull"] + ReleasedImage.words).status == 0)
      try await ReleasedImage.publish("v0.1.0", mark: "another", on: server, in: sandbox)
      try server.setFault(nil, for: listing)
      #expect(try await results(["verify"], in: sandbox) == ["damaged"])
      let refresh = try await sandbox.qvm(["pull", "--refresh"] + ReleasedImage.words)
      #expect(refresh.status == 1)
      let again = ["pull", "--release", "v0.1.0", "--platform", "x86-64"] + ReleasedImage.words
      #expect(refresh.err.contains("'qvm \(again.joined(separator: " "))'"), "\(refresh.err)")
      #expect(try await sandbox.qvm(again).status == 0)
      #expect(try await results(["verify"], in: sandbox) == ["ok"])
    }
  }

  @Test func `a list of releases without an end is dropped, and takes little memory`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      try server.setFault(.endless, for: "\(ReleasedImage.repository).json")
      // What it and its children had at most, in kilobytes, follows on standard error.
      let script = """
        import resource, subprocess, sys
        status = subprocess.call(sys.argv[1:])
        sys.stderr.write(f"peak={resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}\\n")
        sys.exit(status)
        """
      for words in [["pull"] + ReleasedImage.words, ["images", "--available", "haiku"]] {
        let begin = ContinuousClock.now
        let result = try await sandbox.run(
          try Tool.python.url, ["-c", script, try Sandbox.program.path] + words)
        #expect(begin.duration(to: .now) < .seconds(15))
        // An image is to be had without the list.
        #expect(result.status == (words[0] == "pull" ? 0 : 1), "\(result.err)")
        let peak = try #require(result.err.firstMatch(of: /peak=(\d+)/)?.1)
        #expect(Int(peak) ?? .max < 100_000, "\(peak) kB")
      }
      withExtendedLifetime(server) {}
    }
  }

  @Test func `an address with a password is refused before anything is asked`() async throws {
    try await Sandbox.with { sandbox in
      sandbox.environment["QVM_BASE_URL"] = "http://user:hunter2@127.0.0.1:1/x"
      for words in [["pull", "haiku", "r1beta5"], ["images", "--available", "haiku"]] {
        let result = try await sandbox.qvm(words)
        #expect(result.status == 64)
        #expect(!(result.out + result.err).contains("hunter2"))
      }
    }
  }
}
