import Testing

@testable import QVMControl

@Suite struct DownloadChecksumTests {
  private static let digest = String(repeating: "a", count: 64)
  private static let other = String(repeating: "b", count: 64)

  private static func checksum(
    size: Int? = 10, sha256: String? = digest, isRequired: Bool = false
  ) -> DownloadChecksum {
    let listed = ReleaseListing.Asset(name: "f", size: size, sha256: sha256)
    let asset = ReleaseClient.Asset(
      name: "f", tag: "v1", url: "u",
      head: Curl.Head(url: "u", length: size, etag: nil, lastModified: nil), listed: listed)
    return DownloadChecksum(asset: asset, expectedSize: size, isRequired: isRequired)
  }

  @Test func `a file that is too short can be continued, one that is too long is wrong`() {
    let checksum = Self.checksum()
    #expect(
      throws: DownloadError.interrupted(
        url: "u", why: "the server sent no more", received: 9, total: 10)
    ) { try checksum.check(size: 9) }
    #expect(throws: DownloadError.wrongSize(url: "u", received: 11, expected: 10)) {
      try checksum.check(size: 11)
    }
    #expect(throws: Never.self) { try checksum.check(size: 10) }
    #expect(throws: Never.self) { try Self.checksum(size: nil).check(size: 11) }
  }

  @Test func `only the listed digest is accepted`() {
    #expect(throws: Never.self) { try Self.checksum().check(sha256: Self.digest) }
    #expect(throws: DownloadError.wrongDigest(url: "u", found: Self.other, expected: Self.digest)) {
      try Self.checksum().check(sha256: Self.other)
    }
    #expect(throws: Never.self) { try Self.checksum(sha256: nil).check(sha256: Self.other) }
  }

  @Test func `a missing digest is an error only if it is required`() {
    #expect(throws: Never.self) { try Self.checksum().check(sha256: nil) }
    #expect(throws: DownloadError.otherContent(url: "u", found: "another version")) {
      try Self.checksum(isRequired: true).check(sha256: nil)
    }
  }

  @Test func `a file is verified if its digest is listed and was computed`() {
    let listed = Self.checksum().asset
    let unlisted = Self.checksum(sha256: nil).asset
    #expect(DownloadChecksum.lack(of: listed, sha256: Self.digest) == nil)
    #expect(DownloadChecksum.lack(of: listed, sha256: nil) != nil)
    #expect(DownloadChecksum.lack(of: unlisted, sha256: Self.digest) != nil)
  }
}
