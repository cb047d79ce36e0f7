import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct ImageOfferTests {
  @Test func `every version and architecture is listed once, with its newest release`() async throws
  {
    try await ReleaseFixture.with { fixture in
      for (name, tag) in [
        ("netbsd-9.4-x86-64.qcow2", "v0.6.0"), ("netbsd-10.1-x86-64.qcow2", "v0.6.0"),
        ("netbsd-10.1-x86-64.qcow2", "v0.7.0"), ("netbsd-10.1-arm64.qcow2", "v0.7.0"),
        ("netbsd-10.1-vax.qcow2", "v0.7.0"), ("checksums.txt", "v0.7.0"),
      ] {
        try fixture.server.publish(Data("12345".utf8), as: name, tag: tag, in: "netbsd-builder")
      }
      let client = try fixture.client()
      let offers = try await client.offers(of: .netbsd)
      #expect(
        offers.map { "\($0.version) \($0.architecture.rawValue) \($0.tag) \($0.size ?? 0)" } == [
          "10.1 arm64 v0.7.0 5", "10.1 x86-64 v0.7.0 5", "9.4 x86-64 v0.6.0 5",
        ])
      #expect(fixture.server.requests.count == 1)
    }
  }

  @Test func `a system whose list is unavailable doesn't hide the others`() async throws {
    try await ReleaseFixture.with { fixture in
      try fixture.server.publish(
        Data("x".utf8), as: "haiku-r1beta5-x86-64.qcow2", tag: "v1", in: "haiku-builder")
      let client = try fixture.client()
      let all = await client.offers(of: [.freebsd, .haiku, .demo])
      #expect(all.map(\.operatingSystem) == [.freebsd, .haiku, .demo])
      #expect(throws: DownloadError.self) { try all[0].offers.get() }
      #expect(try all[1].offers.get().map(\.version) == ["r1beta5"])
      #expect(try all[2].offers.get() == [])
    }
  }

  @Test func `versions have the order of their numbers`() {
    let ordered = [
      "r1beta4", "r1beta5", "6.9", "7.0", "9.4", "10.0", "11.0-rc1", "11.0-rc2", "11.0", "11.0.1",
      "r151052",
    ]
    for pair in [(2, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 9), (0, 1)] {
      #expect(VersionOrder.precedes(ordered[pair.0], ordered[pair.1]))
      #expect(!VersionOrder.precedes(ordered[pair.1], ordered[pair.0]))
    }
    #expect(!VersionOrder.precedes("10.1", "10.1"))
  }
}
