import Foundation
import QMPClient
import TestSupport
import Testing

/// What a command says about a download that nothing vouches for.
@Suite(.timeLimit(.minutes(5))) struct UnverifiedTests {
  private static let notice = "\(ReleasedImage.asset) of v0.1.0 is unverified: "

  @Test func `an image without a known digest is told once, and not where it is quiet`()
    async throws
  {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      try server.setFault(.withoutDigest, for: "\(ReleasedImage.repository).json")
      let pull = try await sandbox.qvm(["pull"] + ReleasedImage.words)
      #expect(pull.status == 0)
      let lines = pull.err.split(separator: "\n").filter { $0.contains("unverified") }
      #expect(lines == ["qvm: \(Self.notice)no digest of it is known"])
      #expect(try await sandbox.qvm(["pull"] + ReleasedImage.words).err == "")
      try FileManager.default.removeItem(at: sandbox.cache.appending(path: "images"))
      let quiet = try await sandbox.qvm(["pull", "--quiet"] + ReleasedImage.words)
      #expect(quiet.status == 0)
      #expect(quiet.err == "")
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
        pull.err.contains(
          "qvm: \(Self.notice)openssl, sha256sum and shasum are all missing\n"), "\(pull.err)")
      let images = try await sandbox.qvm("images", "--json").json["images"]?.array
      #expect(images?.first?["verified"]?.bool == false)
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
