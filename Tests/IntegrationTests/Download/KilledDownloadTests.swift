import Foundation
import QMPClient
import TestSupport
import Testing

/// Downloads that are killed at any moment, from a mirror that changes.
@Suite(.timeLimit(.minutes(15))) struct KilledDownloadTests {
  /// The programs that download for a sandbox: they don't carry its mark, but name its folder.
  private func transfers(in sandbox: Sandbox) -> [Int32] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { Int32($0) }.filter { pid in
      let words = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
      let text = String(decoding: words, as: UTF8.self)
      return text.contains("curl\0") && text.contains(sandbox.cache.path)
    }
  }

  private func transfersHaveEnded(in sandbox: Sandbox) async throws {
    for pid in transfers(in: sandbox) { kill(pid, SIGKILL) }
    try await eventually("nothing downloads") { transfers(in: sandbox).isEmpty }
  }

  /// As long as another file, and nowhere the same.
  private func inverted(_ content: Data) -> Data { Data(content.map { ~$0 }) }

  @Test func `what is killed at any moment never becomes a mixture`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await ReleasedImage.serve("v0.1.0", in: &sandbox)
      let (asset, repository) = (ReleasedImage.asset, ReleasedImage.repository)
      try server.setFault(.withoutDigest, for: "\(repository).json")
      let file = server.file(asset, tag: "v0.1.0", in: repository)
      let content = try Data(contentsOf: file)
      try server.publishOther(inverted(content), as: asset)
      let rate = content.count / 2
      for round in 0..<20 {
        // Every third time another version comes than was told of, and in the middle of all the
        // file itself is another one for a while.
        try server.setFault(round % 3 == 1 ? .other(rate) : .slow(rate), for: asset)
        if round == 8 { try inverted(content).write(to: file) }
        if round == 11 { try content.write(to: file) }
        let before = server.transfers(of: asset).count
        let pull = try sandbox.start("pull", "haiku", "r1beta5")
        // Two rounds of the same version, one after the other: the second resumes what the first left.
        if round == 5 || round == 6 {
          try await eventually("the image is on its way") {
            server.transfers(of: asset).count > before
          }
        }
        // At a different moment of it in each round.
        try await Task.sleep(for: .milliseconds(60 + round * 71 % 400))
        if round % 4 == 2 {
          for pid in transfers(in: sandbox) { kill(pid, SIGKILL) }
          // While it handles the loss of them, or has begun anew.
          try await Task.sleep(for: .milliseconds(20))
        }
        pull.signal(round % 5 == 4 ? SIGINT : SIGKILL)
        _ = try await pull.end()
        try await transfersHaveEnded(in: sandbox)
      }
      #expect(server.transfers(of: asset).contains { $0.status == 206 }, "some was gone on with")
      try server.setFault(nil, for: asset)
      let pull = try await sandbox.qvm("pull", "haiku", "r1beta5")
      #expect(pull.status == 0, "\(pull.err)")
      #expect(try Data(contentsOf: ReleasedImage.file("v0.1.0", in: sandbox)) == content)
      let left = try FileManager.default.contentsOfDirectory(
        atPath: sandbox.cache.appending(path: "downloads").path)
      #expect(left == [])
    }
  }

  @Test func `the image, QEMU and qemu-img come side by side`() async throws {
    try await Sandbox.with { sandbox in
      let server = try await PublishedReleases.serve(in: sandbox)
      sandbox.environment["QVM_BASE_URL"] = server.baseURL
      sandbox.environment["QVM_QEMU"] = "managed"
      let image = server.file(ReleasedImage.asset, tag: "v0.1.0", in: "haiku-builder")
      let size = try Data(contentsOf: image).count
      try server.setFault(.slow(size / 4), for: ReleasedImage.asset)
      let tars = ["qemu-system-x86_64-linux.tar", "resources-linux.tar"]
      for tar in tars {
        let file = server.file(tar, tag: "v2.0.0", in: "resources")
        try server.setFault(.slow(try Data(contentsOf: file).count / 4), for: tar)
      }
      let pull = try await sandbox.qvm("pull", "haiku", "r1beta5")
      #expect(pull.status == 0, "\(pull.err)")
      let times = (tars + [ReleasedImage.asset]).map { server.transfers(of: $0).map(\.time) }
      #expect(times.map(\.count) == [1, 1, 1])
      let starts = times.flatMap(\.self)
      // Each takes four seconds.
      #expect((starts.max() ?? 0) - (starts.min() ?? 0) < 3)
    }
  }
}
