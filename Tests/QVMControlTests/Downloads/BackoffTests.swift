import Foundation
import QMPClient
import Synchronization
import TestSupport
import Testing

@testable import QVMControl

/// How patient downloads and look-ups are.
@Suite struct BackoffTests {
  private static let url = "https://mirror.example/x"

  private func pauses(_ error: DownloadError, isLookUp: Bool) -> [Duration] {
    var backoff = Backoff(TransferLimits(), isLookUp: isLookUp)
    var pauses: [Duration] = []
    while let pause = backoff.pause(after: error), pauses.count < 100 { pauses.append(pause) }
    return pauses
  }

  private static let all = [1, 2, 4, 8, 16].map { Duration.seconds($0) }

  @Test(arguments: [
    (DownloadError.status(504, url: url), true, all), (.status(504, url: url), false, all),
    (.status(404, url: url), true, []), (.status(404, url: url), false, []),
    (.tooSlow(url: url, why: ""), true, Array(all.prefix(2))),
    (.tooSlow(url: url, why: ""), false, all),
    (.unreachable(url: url, why: ""), true, []), (.unreachable(url: url, why: ""), false, all),
    (.unavailable(503, url: url, retryAfter: 5), true, [5, 5, 5, 8, 16].map { .seconds($0) }),
    (.unavailable(503, url: url, retryAfter: 61), false, []),
  ])
  func `pauses double until half a minute is over`(
    error: DownloadError, isLookUp: Bool, expected: [Duration]
  ) {
    #expect(pauses(error, isLookUp: isLookUp) == expected)
  }

  @Test func `after progress the pauses begin anew`() {
    var backoff = Backoff(TransferLimits())
    for _ in 0..<3 { _ = backoff.pause(after: .status(504, url: Self.url)) }
    backoff.reset()
    #expect(backoff.pause(after: .status(504, url: Self.url)) == .seconds(1))
  }

  @Test func `a burst of failures of every look-up is waited out and told once`() async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("x".utf8), as: "a", tag: "v1.0.0", in: "r")
      try server.setLatest("v1.0.0", in: "r")
      try server.setFault(.times(4, .status(504)), for: "r.latest")
      try server.setFault(.times(4, .status(504)), for: "r.json")
      var client = try fixture.client()
      client.limits.attempts = TransferLimits().attempts

      let asset = try await client.find("a", in: "r")

      #expect(asset.listed?.sha256 != nil)
      let host = "127.0.0.1:\(try fixture.port)"
      #expect(fixture.heard.notices.withLock { $0 } == ["\(host) answered 504, retrying"])
    }
  }

  @Test func `a server that asks for a pause gets it`() async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("x".utf8), as: "a", tag: "v1.0.0", in: "r")
      try server.setLatest("v1.0.0", in: "r")
      try server.setFault(.times(1, .busy(503, seconds: 1)), for: "r.latest")
      try server.setFault(.times(1, .busy(429, seconds: 1)), for: "a")

      _ = try await fixture.fetch("a", in: "r", with: try fixture.client())

      let latest = server.requests.filter { $0.path.hasSuffix("/releases/latest") }.map(\.time)
      #expect(latest.count == 2)
      #expect(try #require(latest.last) - latest[0] > 0.9)
      let transfers = server.transfers(of: "a").map(\.time)
      #expect(transfers.count == 2)
      #expect(try #require(transfers.last) - transfers[0] > 0.9)
    }
  }

  @Test func `a server that asks for an hour is not waited for`() async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("x".utf8), as: "a", tag: "v1.0.0", in: "r")
      try server.setLatest("v1.0.0", in: "r")
      try server.setFault(.busy(503, seconds: 3600), for: "a")
      let error = try await #require(throws: DownloadError.self) {
        try await fixture.fetch("a", in: "r", with: try fixture.client())
      }
      #expect(error.advice == "Wait 60 minutes and try again.")
      #expect(server.transfers(of: "a").count == 1)
    }
  }

  @Test(arguments: [ReleaseServer.Fault.withoutDigest, .status(404)])
  func `a file without a known digest is reported as unverified`(
    fault: ReleaseServer.Fault
  ) async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("x".utf8), as: "a", tag: "v2.0.0", in: "resources")
      try server.setLatest("v2.0.0", in: "resources")
      _ = try await fixture.fetch("a", in: "resources", with: try fixture.client())
      #expect(fixture.heard.notices.withLock { $0.isEmpty })
      try server.setFault(fault, for: "resources.json")
      _ = try await fixture.fetch("a", in: "resources", with: try fixture.client())
      #expect(
        fixture.heard.notices.withLock { $0 }
          == ["a of v2.0.0 is unverified: no digest of it is known"])
    }
  }
}
