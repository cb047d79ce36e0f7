import Foundation
import TestSupport
import Testing

/// What `pull` does where one of the things that it downloads side by side can't be had.
@Suite(.timeLimit(.minutes(15))) struct ParallelDownloadTests {
  private struct Case: Sendable {
    let words: [String]
    let says: String
    /// Whether it comes late enough for the others to have begun.
    let comesLate: Bool
  }

  private static let cases = [
    Case(words: ["freebsd", "99.9"], says: "FreeBSD 99.9", comesLate: false),
    Case(words: ["haiku", "r1beta5"], says: "SHA-256", comesLate: true),
  ]

  @Test func `the first failure is told at once, and ends the other downloads`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      sandbox.environment["QVM_QEMU"] = "managed"
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      // Either would take many minutes.
      let others = ["qemu-system-x86_64-linux.tar", "resources-linux.tar"]
      for other in others { try server.setFault(.slow(10_000), for: other) }
      try server.setFault(.wrongDigest, for: "haiku-builder.json")
      for one in Self.cases {
        let image = "haiku-r1beta5-x86-64.qcow2"
        try server.setFault(.slow(400), for: image)
        var begin = ContinuousClock.now
        let command = try sandbox.start("pull", "--platform", "x86-64", one.words[0], one.words[1])
        let partials = others.map {
          sandbox.cache.appending(path: "downloads/\($0)@v2.0.0.partial").path
        }
        if one.comesLate {
          try await eventually("the others have begun") {
            partials.allSatisfy(FileManager.default.fileExists)
          }
          try server.setFault(nil, for: image)
          begin = .now
        }
        let pull = try await command.end()
        #expect(pull.status == 1)
        #expect(pull.err.contains(one.says), "\(pull.err)")
        #expect(begin.duration(to: .now) < .seconds(20))
        try await eventually("no curl is left") { sandbox.processes.isEmpty }
        guard one.comesLate else { continue }
        for partial in partials { #expect(FileManager.default.fileExists(atPath: partial)) }
      }
    }
  }
}
