import Foundation
import QMPClient
import TestSupport

/// One small base image in releases of its own, each with other bytes, all of which boot.
enum ReleasedImage {
  static let name = "haiku-r1beta5-x86-64"
  static let asset = "\(name).qcow2"
  static let repository = "haiku-builder"
  /// The words that name its guest.
  static let words = ["haiku", "r1beta5"]

  /// Starts a server with a release, which the sandbox's commands use from now on.
  static func serve(_ tag: String, in sandbox: inout Sandbox) async throws -> ReleaseServer {
    let server = try ReleaseServer.start(root: sandbox.folder.appending(path: "releases"))
    sandbox.environment["QVM_BASE_URL"] = server.baseURL
    try await publish(tag, on: server, in: sandbox)
    return server
  }

  /// Publishes a release as the latest; `mark` makes its bytes its own.
  static func publish(
    _ tag: String, mark: String? = nil, on server: ReleaseServer, in sandbox: Sandbox
  ) async throws {
    try server.publish(
      try await content(mark ?? tag, in: sandbox), as: asset, tag: tag, in: repository)
    try server.setLatest(tag, in: repository)
  }

  private static func content(_ mark: String, in sandbox: Sandbox) async throws -> Data {
    var raw = try Data(contentsOf: try Guest.demo.image)
    raw.append(Data("\(mark)\n".utf8))
    raw.append(Data(count: 512 - raw.count % 512))
    let source = sandbox.folder.appending(path: "\(UUID()).raw")
    let image = sandbox.folder.appending(path: "\(UUID()).qcow2")
    try raw.write(to: source)
    let result = try await sandbox.run(
      try Tool.qemuImg.url, ["convert", "-f", "raw", "-O", "qcow2", source.path, image.path])
    if result.status != 0 { throw Sandbox.Failure(result.err) }
    return try Data(contentsOf: image)
  }

  /// Where a release's image is in the cache.
  static func file(_ tag: String, in sandbox: Sandbox) -> URL {
    sandbox.cache.appending(path: "images/\(tag)/\(asset)")
  }

  /// Where its record is.
  static func record(_ tag: String, in sandbox: Sandbox) -> URL {
    sandbox.cache.appending(path: "images/\(tag)/\(name).json")
  }

  /// Changes one byte of a file in its middle, as only its owner can.
  static func flipByte(of file: URL) throws {
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
    let handle = try FileHandle(forUpdating: file)
    defer { try? handle.close() }
    let middle = try handle.seekToEnd() - 1000
    try handle.seek(toOffset: middle)
    let byte = try handle.read(upToCount: 1)?.first ?? 0
    try handle.seek(toOffset: middle)
    try handle.write(contentsOf: Data([byte ^ 1]))
    try handle.synchronize()
  }
}

extension Sandbox {
  /// Makes a folder with links to some of the programs on the search path.
  func link(_ programs: [String], into folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    for name in programs {
      let found = path.split(separator: ":").map { "\($0)/\(name)" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }
      guard let found else { throw Failure("\(name) is not installed") }
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(path: name).path, withDestinationPath: found)
    }
  }

  /// Boots the released image's guest in the background.
  func boot(_ name: String) async throws -> Output {
    try await qvm(["run", "-d", "--name", name, "--memory", "64M"] + ReleasedImage.words)
  }

  /// Replaces the programs that tell digests by ones that leave a line each time.
  ///
  /// - Parameter script: What they do besides, as shell commands; `$real` is the real one.
  /// - Returns: How often one was started so far.
  /// - Throws: An error where they can't be put in place.
  mutating func watchDigests(script: String = #"exec "$real" "$@""#) async throws -> () -> Int {
    let bin = folder.appending(path: "watched")
    let log = folder.appending(path: "digests.log")
    for program in ["openssl", "sha256sum", "shasum"] {
      try await writeProgram(
        """
        echo "\(program) $*" >> '\(log.path)'
        real=/usr/bin/\(program)
        \(script)
        """, to: bin.appending(path: program))
    }
    environment["PATH"] = "\(bin.path):\(environment["PATH"] ?? "/usr/bin:/bin")"
    return {
      let text = try? String(contentsOf: log, encoding: .utf8)
      return text?.split(separator: "\n").count ?? 0
    }
  }
}
