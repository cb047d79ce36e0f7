import Foundation
import QMPClient
import Testing

@testable import QVMControl

@Suite struct FileDigestTests {
  // FIPS 180-2, appendix B.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  ])
  func `the digest is that of the standard, whatever the file is called`(
    text: String, digest: String
  ) async throws {
    let loop = try #require(EventLoop.shared)
    for name in ["plain", "with space", "back\\slash", "-c"] {
      let path = FileManager.default.temporaryDirectory.path + "/qvm-\(UUID())-\(name)"
      defer { try? FileManager.default.removeItem(atPath: path) }
      try Data(text.utf8).write(to: URL(filePath: path))
      let found = try await withTaskExecutorPreference(loop) {
        try await FileDigest.sha256(of: path, on: loop)
      }
      #expect(found == digest)
    }
  }
}
