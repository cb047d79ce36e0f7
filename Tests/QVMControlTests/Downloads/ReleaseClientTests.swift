import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct ReleaseClientTests {
  private static let image = "netbsd-10.1-x86-64.qcow2"
  private static let builder = "netbsd-builder"

  @Test func `the latest release is asked first`() async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("old".utf8), as: Self.image, tag: "v0.6.0", in: Self.builder)
      try server.publish(Data("newest".utf8), as: Self.image, tag: "v0.7.0", in: Self.builder)
      try server.setLatest("v0.7.0", in: Self.builder)

      let asset = try await fixture.client().find(Self.image, in: Self.builder)

      #expect(asset.tag == "v0.7.0")
      #expect(asset.head.length == 6)
      #expect(asset.listed?.sha256?.count == 64)
    }
  }

  @Test func `an asset that the latest release lacks comes from the newest older one`() async throws
  {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      for tag in ["v0.5.0", "v0.10.0", "v0.9.0"] {
        try server.publish(Data(tag.utf8), as: Self.image, tag: tag, in: Self.builder)
      }
      try server.publish(Data(), as: "netbsd-10.1-x86-64.tar.zst", tag: "v1.0.0", in: Self.builder)
      try server.setLatest("v1.0.0", in: Self.builder)

      let asset = try await fixture.client().find(Self.image, in: Self.builder)

      #expect(asset.tag == "v0.10.0")
    }
  }

  @Test(arguments: [ReleaseServer.Fault.status(403), .status(500), .html, .hang])
  func `without the list of releases the known ones are tried`(
    fault: ReleaseServer.Fault
  ) async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("x".utf8), as: Self.image, tag: "v0.6.0", in: Self.builder)
      try server.publish(Data(), as: "netbsd-10.1-x86-64.tar.zst", tag: "v1.0.0", in: Self.builder)
      try server.setLatest("v1.0.0", in: Self.builder)
      try server.setFault(fault, for: "netbsd-builder.json")

      let asset = try await fixture.client().find(Self.image, in: Self.builder)

      #expect(asset.tag == "v0.6.0")
      #expect(asset.listed == nil)
      let asked = server.requests.filter { $0.path.hasSuffix(Self.image) }.map(\.path)
      #expect(asked.map { $0.split(separator: "/")[4] } == ["v1.0.0", "v0.7.0", "v0.6.0"])
    }
  }

  @Test func `an asset that no release has is an error with what there is`() async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data(), as: "netbsd-9.4-x86-64.qcow2", tag: "v0.7.0", in: Self.builder)
      try server.setLatest("v0.7.0", in: Self.builder)

      await #expect(
        throws: ReleaseError.noSuchAsset(
          name: Self.image, page: "\(server.baseURL)/netbsd-builder/releases",
          available: ["netbsd-9.4-x86-64.qcow2"], listingFailure: nil)
      ) {
        _ = try await fixture.client().find(Self.image, in: Self.builder)
      }
    }
  }

  @Test func `a repository that isn't there is an error that says where it was looked for`()
    async throws
  {
    try await ReleaseFixture.with { fixture in
      do {
        _ = try await fixture.client().find("a.tar", in: "nothing")
        Issue.record("found")
      } catch let error as ReleaseError {
        #expect(
          error.message == "no release on \(fixture.server.baseURL)/nothing/releases has a.tar")
      }
    }
  }

  @Test func `a repository without releases is no log-in page`() async throws {
    try await ReleaseFixture.with { fixture in
      try fixture.server.publish(Data("x".utf8), as: "a", tag: "v1", in: "empty")
      // The server leads to the empty list, and the list of releases still has the file.
      #expect(try await fixture.client().find("a", in: "empty").tag == "v1")
    }
  }

  @Test func `a log-in page in the place of the latest release is reported as such`() async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("x".utf8), as: Self.image, tag: "v0.7.0", in: Self.builder)
      try server.setFault(.html, for: "netbsd-builder.latest")
      let latest = "\(server.baseURL)/netbsd-builder/releases/latest"

      await #expect(throws: ReleaseError.noLatest(url: latest, answered: latest)) {
        _ = try await fixture.client().find(Self.image, in: Self.builder)
      }
    }
  }

  @Test func `an address without a listener is reported as unreachable at once`() async throws {
    try await ReleaseFixture.with { fixture in
      let client = try fixture.client(base: "http://127.0.0.1:1/x")
      do {
        _ = try await client.find(Self.image, in: Self.builder)
        Issue.record("found")
      } catch let error as DownloadError {
        guard case .unreachable(_, let why) = error else {
          Issue.record("\(error)")
          return
        }
        #expect(error.message == "cannot reach 127.0.0.1:1: \(why)")
        #expect(why.contains("onnect"))
      }
    }
  }

  @Test func `a failure that passes is waited out`() async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("x".utf8), as: Self.image, tag: "v0.7.0", in: Self.builder)
      try server.setLatest("v0.7.0", in: Self.builder)
      try server.setFault(.times(2, .status(503)), for: "netbsd-builder.latest")

      #expect(try await fixture.client().find(Self.image, in: Self.builder).tag == "v0.7.0")
    }
  }

  @Test func `a mirror never gets the token`() async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("x".utf8), as: Self.image, tag: "v0.7.0", in: Self.builder)
      try server.setLatest("v0.7.0", in: Self.builder)
      var client = try fixture.client()
      client.token = "secret"

      _ = try await client.find(Self.image, in: Self.builder)

      #expect(!server.requests.isEmpty)
      #expect(server.requests.allSatisfy { $0.authorization == nil })
    }
  }

  @Test func `a token goes to the list's host as a header`() async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("x".utf8), as: Self.image, tag: "v0.7.0", in: Self.builder)
      let client = try fixture.client()
      let curl = try Curl(client.source, client.limits, on: fixture.loop)

      let text = try await curl.text(client.source.listing(Self.builder), token: "secret")

      #expect(ReleaseListing(text)?.releases.map(\.tag) == ["v0.7.0"])
      #expect(server.requests.map(\.authorization) == ["Bearer secret"])
    }
  }

  @Test(arguments: [403, 429])
  func `too many look-ups are told apart from a file that isn't there`(status: Int) async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("x".utf8), as: "other", tag: "v0.1.0", in: Self.builder)
      try server.setLatest("v0.1.0", in: Self.builder)
      let end = Timestamp(seconds: Timestamp.now.seconds + 700)
      try server.setFault(
        .rateLimited(status, until: end.seconds), for: "\(Self.builder).json")
      do {
        _ = try await fixture.client().find(Self.image, in: Self.builder)
        Issue.record("found")
      } catch let error as ReleaseError {
        #expect(error.message.hasPrefix("no known release has \(Self.image), "))
        #expect(
          error.message.hasSuffix(
            "127.0.0.1:\(try fixture.port) accepts no more requests from this address until \(end)")
        )
        #expect(
          error.advice
            == "Set GITHUB_TOKEN to allow more requests, or wait 12 minutes.")
      }
    }
  }

  @Test(arguments: [
    (ReleaseServer.Fault.status(503), "503 (server error)"), (.html, "not a list of releases"),
    (.hang, "did not respond in time"), (.status(403), "403 (forbidden)"),
  ])
  func `an outage of the list is told apart from a file that isn't there`(
    fault: ReleaseServer.Fault, says: String
  ) async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("x".utf8), as: "other", tag: "v0.1.0", in: Self.builder)
      try server.setLatest("v0.1.0", in: Self.builder)
      try server.setFault(fault, for: "\(Self.builder).json")
      do {
        _ = try await fixture.client().find(Self.image, in: Self.builder)
        Issue.record("found")
      } catch let error as ReleaseError {
        #expect(error.message.contains("the list of all releases could not be downloaded: "))
        #expect(error.message.contains(says), "\(error.message)")
        // Addresses would hide what matters.
        #expect(!error.message.contains("http"), "\(error.message)")
        #expect(error.advice != nil)
      }
    }
  }

  @Test(arguments: [ReleaseServer.Fault.status(503), .status(429), .hang])
  func `where the latest release isn't told the list of releases tells it`(
    fault: ReleaseServer.Fault
  ) async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      for tag in ["v0.6.0", "v0.7.0"] {
        try server.publish(Data("x".utf8), as: Self.image, tag: tag, in: Self.builder)
      }
      try server.setFault(fault, for: "\(Self.builder).latest")
      var client = try fixture.client()
      client.limits.attempts = 1
      #expect(try await client.find(Self.image, in: Self.builder).tag == "v0.7.0")
    }
  }

  @Test func `of two files the one of the newer release is found, else the first`() async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      for (name, tag) in [("a", "v1.0.0"), ("b", "v1.0.0"), ("b", "v2.0.0")] {
        try server.publish(Data("x".utf8), as: name, tag: tag, in: Self.builder)
      }
      try server.setLatest("v2.0.0", in: Self.builder)
      let client = try fixture.client()
      let newer = try await client.find(anyOf: ["a", "b"], in: Self.builder)
      #expect([newer.name, newer.tag] == ["b", "v2.0.0"])
      try server.publish(Data("x".utf8), as: "a", tag: "v2.0.0", in: Self.builder)
      let first = try await client.find(anyOf: ["a", "b"], in: Self.builder)
      #expect([first.name, first.tag] == ["a", "v2.0.0"])
    }
  }

  @Test func `a token that is refused is done without`() async throws {
    try await ReleaseFixture.with { fixture in
      let server = fixture.server
      try server.publish(Data("x".utf8), as: Self.image, tag: "v0.7.0", in: Self.builder)
      try server.setFault(.badToken, for: "\(Self.builder).json")
      let client = try fixture.client()
      let curl = try Curl(client.source, client.limits, on: fixture.loop)

      let text = try await ReleaseClient.listing(
        at: client.source.listing(Self.builder), token: "expired", curl)

      #expect(ReleaseListing(text)?.releases.map(\.tag) == ["v0.7.0"])
      #expect(server.requests.map(\.authorization) == ["Bearer expired", nil])
    }
  }

  @Test func `a token does not follow a redirect`() async throws {
    try await ReleaseFixture.with { fixture in
      let elsewhere = try ReleaseServer.start(root: fixture.folder.appending(path: "elsewhere"))
      let list = "\(Self.builder).json"
      try fixture.server.redirect(
        list, to: "\(elsewhere.baseURL)/\(Self.builder)/releases.json")
      let client = try fixture.client()
      let curl = try Curl(client.source, client.limits, on: fixture.loop)

      let text = try await curl.text(client.source.listing(Self.builder), token: "secret")

      #expect(ReleaseListing(text) == nil)
      #expect(fixture.server.requests.map(\.authorization) == ["Bearer secret"])
      #expect(elsewhere.requests.isEmpty)
    }
  }

  @Test func `a token is not in the arguments of the program that sends it`() async throws {
    try await ReleaseFixture.with { fixture in
      try fixture.server.setFault(.hang, for: "\(Self.builder).json")
      let client = try fixture.client()
      let curl = try Curl(client.source, client.limits, on: fixture.loop)
      let url = client.source.listing(Self.builder)
      let asking = Task(executorPreference: fixture.loop) {
        try await curl.text(url, token: "very-secret")
      }
      defer { asking.cancel() }
      var command = ""
      for _ in 0..<200 where command.isEmpty {
        try await Task.sleep(for: .milliseconds(10))
        for entry in Files.list("/proc") where Int32(entry) != nil {
          let words = Files.text("/proc/\(entry)/cmdline") ?? ""
          if words.contains(url), words.contains("curl") { command = words }
        }
      }
      #expect(command.contains("-K"))
      #expect(!command.contains("very-secret"))
    }
  }

  @Test func `drafts, pre-releases and hostile names are not in the list`() throws {
    let listing = try #require(
      ReleaseListing(
        """
        [{"tag_name": "v3", "draft": true, "assets": []},
         {"tag_name": "v2", "prerelease": true, "assets": []},
         {"tag_name": "../../x", "assets": []},
         {"tag_name": "v1", "assets": [
           {"name": "../x", "size": 1}, {"name": "a", "size": 1, "digest": "sha256:zz"},
           {"name": "b", "size": 2, "digest": "sha256:\(String(repeating: "A", count: 64))"}]}]
        """))
    #expect(listing.releases.map(\.tag) == ["v1"])
    #expect(listing.names == ["a", "b"])
    #expect(listing.asset("a", tag: "v1")?.sha256 == nil)
    #expect(listing.asset("b", tag: "v1")?.sha256 == String(repeating: "a", count: 64))
  }

  @Test(arguments: ["", "{}", "<html>", #"{"message": "rate limit"}"#])
  func `what GitHub says instead of a list is no list`(text: String) {
    #expect(ReleaseListing(text) == nil)
  }

  @Test(arguments: OperatingSystem.allCases.compactMap(\.builderRepository) + ["resources"])
  func `each repository has known releases`(repository: String) {
    let tags = FallbackReleases.of(repository)
    #expect(!tags.isEmpty)
    #expect(tags.allSatisfy(PlainName.isValid))
  }
}
