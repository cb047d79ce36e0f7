import Foundation
import QVMControl
import TestSupport
import Testing

/// Several processes that want the same file.
@Suite struct SharedDownloadTests {
  private static let asset = "freebsd-14.2-x86-64.qcow2"

  /// A server whose only image takes about so many seconds to come.
  private func serving(
    seconds: Double, in sandbox: inout Sandbox
  ) async throws -> (server: ReleaseServer, size: Int) {
    let server = try ReleaseServer.start(root: sandbox.folder.appending(path: "releases"))
    let image = sandbox.folder.appending(path: "image.qcow2")
    let raw = sandbox.folder.appending(path: "image.raw")
    var bytes = Data(count: 1 << 20)
    bytes.withUnsafeMutableBytes { buffer in
      for index in buffer.indices { buffer[index] = UInt8.random(in: 0...255) }
    }
    try bytes.write(to: raw)
    _ = try await sandbox.run(
      try Tool.qemuImg.url, ["convert", "-f", "raw", "-O", "qcow2", raw.path, image.path])
    let content = try Data(contentsOf: image)
    try server.publish(content, as: Self.asset, tag: "v1.0.0", in: "freebsd-builder")
    try server.setLatest("v1.0.0", in: "freebsd-builder")
    try server.setFault(.slow(Int(Double(content.count) / seconds)), for: Self.asset)
    sandbox.environment["QVM_BASE_URL"] = server.baseURL
    return (server, content.count)
  }

  @Test func `twenty pulls of the same image at once ask the server for it once`() async throws {
    try await Sandbox.with { sandbox in
      let (server, size) = try await serving(seconds: 2, in: &sandbox)
      let pulls = try (0..<20).map { _ in
        try sandbox.start("pull", "freebsd", "14.2", "--platform", "x86-64")
      }
      var paths: Set<String> = []
      var following = 0
      // What stays of another's download: its size, without the time that it took.
      let followed = " \(ByteCount.text(size))"
      for pull in pulls {
        let result = try await pull.end()
        #expect(result.status == 0, "\(result.err)")
        paths.insert(result.out)
        let lines = result.err.split(separator: "\n")
        if lines.contains(where: { $0.contains(Self.asset) && $0.hasSuffix(followed) }) {
          following += 1
        }
      }
      #expect(paths.count == 1)
      #expect(server.transfers(of: Self.asset).count == 1)
      #expect(following > 0, "who waits shows the download of the other")
    }
  }

  /// The programs of a sandbox that download: they don't carry its mark, but name its folder.
  private func transfers(in sandbox: Sandbox) -> [Int32] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { Int32($0) }.filter { pid in
      let words = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
      let text = String(decoding: words, as: UTF8.self)
      return text.contains("curl\0") && text.contains(sandbox.cache.path)
    }
  }

  @Test(arguments: [false, true])
  func `when the downloading process is killed another completes it`(
    withItsTransfer: Bool
  ) async throws {
    try await Sandbox.with { sandbox in
      // It takes as long as it takes until the first one is killed, and no longer.
      let (server, size) = try await serving(seconds: 60, in: &sandbox)
      let first = try sandbox.start("pull", "freebsd", "14.2", "--platform", "x86-64")
      let partial = sandbox.cache.appending(path: "downloads/\(Self.asset)@v1.0.0.partial")
      try await eventually("something of it is there") {
        let attributes = try? FileManager.default.attributesOfItem(atPath: partial.path)
        return attributes?[.size] as? Int ?? 0 > size / 100
      }
      let others = try (0..<3).map { _ in
        try sandbox.start("pull", "freebsd", "14.2", "--platform", "x86-64")
      }
      let programs = transfers(in: sandbox)
      #expect(programs.count == 1)
      first.signal(SIGKILL)
      if withItsTransfer { for program in programs { kill(program, SIGKILL) } }
      try await eventually("the transfer has ended") {
        transfers(in: sandbox).allSatisfy { !programs.contains($0) }
      }
      // For the next request: a transfer that goes on would have all the rest at once.
      try server.setFault(nil, for: Self.asset)
      for other in others {
        let result = try await other.end()
        #expect(result.status == 0, "\(result.err)")
      }
      _ = try await first.end()
      let requests = server.transfers(of: Self.asset)
      // The transfer ends with its parent, and what came of it is gone on with.
      #expect(requests.map(\.status) == [200, 206])
      #expect(transfers(in: sandbox).isEmpty)
    }
  }
}
