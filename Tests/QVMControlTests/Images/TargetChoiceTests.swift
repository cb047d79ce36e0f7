import Foundation
import QMPClient
import Synchronization
import TestSupport
import Testing

@testable import QVMControl

@Suite struct TargetChoiceTests {
  private static let builder = "netbsd-builder"

  private func request(_ word: String) throws -> TargetRequest {
    try TargetRequest(word, host: .x86_64)
  }

  private func publish(_ images: [(name: String, tag: String)], _ fixture: ReleaseFixture) throws {
    for image in images {
      try fixture.server.publish(
        Data("x".utf8), as: "netbsd-\(image.name).qcow2", tag: image.tag, in: Self.builder)
    }
  }

  /// Puts a file in the place of a base image.
  private func plant(_ name: String, _ fixture: ReleaseFixture) throws {
    try Files.makeFolder("\(fixture.cache.images)/v0")
    try Files.write([1], to: "\(fixture.cache.images)/v0/\(name).qcow2")
  }

  @Test func `the newest version that a release has for the architecture is chosen and reported`()
    async throws
  {
    try await ReleaseFixture.with { fixture in
      try publish(
        [
          ("9.4-x86-64", "v0.6.0"), ("10.9-x86-64", "v0.6.0"), ("10.10-x86-64", "v0.6.0"),
          ("11.0-arm64", "v0.7.0"),
        ], fixture)
      // What the cache has doesn't count while the releases can be asked.
      try plant("netbsd-12.0-x86-64", fixture)
      var choice = TargetChoice(with: try fixture.client())
      #expect(try await choice.target(try request("netbsd:10")).version == "10.10")
      #expect(try await choice.target(try request("netbsd")).version == "10.10")
      #expect(try await choice.target(try request("netbsd/arm64")).version == "11.0")
      #expect(try await choice.target(try request("netbsd:8.1")).version == "8.1")
      #expect(fixture.server.requests.count == 1)
      let notices = fixture.heard.notices.withLock { $0 }
      #expect(notices.count == 3)
      #expect(notices[0] == "using netbsd 10.10 for x86-64, the newest 10 in the releases")

      let nine = try request("netbsd:9")
      #expect(try await choice.target(nine).version == "9.4")
      for word in ["netbsd:12", "netbsd:8.1"] {
        let error = await #expect(throws: ImageError.self) {
          if let target = try request(word).target {
            try await choice.check(target)
          } else {
            _ = try await choice.target(try request(word))
          }
        }
        guard case .noSuchVersion(_, let available, _)? = error else {
          Issue.record("\(word): \(String(describing: error))")
          continue
        }
        #expect(Set(available.map(\.version)) == ["9.4", "10.9", "10.10", "11.0"])
      }
      try await choice.check(try #require(try request("netbsd:9.4").target))
      var older = TargetChoice(with: try fixture.client(), release: "v0.6.0")
      await #expect(throws: ImageError.self) {
        try await older.target(try request("netbsd/arm64"))
      }
    }
  }

  @Test func `without the list of releases the newest in the cache is chosen, and that is said`()
    async throws
  {
    try await ReleaseFixture.with { fixture in
      let client = try fixture.client(base: "http://127.0.0.1:1/none")
      var choice = TargetChoice(with: client)
      for version in ["10.1", "10.10", "9.4"] { try plant("netbsd-\(version)-x86-64", fixture) }
      try plant("netbsd-11.0-arm64", fixture)
      #expect(try await choice.target(try request("netbsd")).version == "10.10")
      #expect(try await choice.target(try request("netbsd:9")).version == "9.4")
      let notice = try #require(fixture.heard.notices.withLock { $0.first })
      #expect(notice.contains("the newest in the cache") && notice.contains("127.0.0.1"))
      // A network that fails has no other version.
      await #expect(throws: DownloadError.self) {
        try await choice.target(try request("netbsd:11"))
      }
      // A server that refuses the list alone has the images of the releases that are known.
      var refused = TargetChoice(with: try fixture.client())
      #expect(try await refused.target(try request("netbsd:11")).version == "11.0")
      #expect(try await refused.target(try request("netbsd:9")).version == "9.4")
    }
  }
}
