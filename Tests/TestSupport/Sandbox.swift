package import Foundation
package import QMPClient

/// A cache, a runtime folder and an environment of their own for one test, and the built `qvm`.
///
/// ``Sandbox/with(_:)`` makes one, and afterwards looks whether the test left anything behind.
package struct Sandbox: Sendable {
  /// What a command printed and how it ended.
  package struct Output: Sendable {
    package let status: Int32
    package let out: String
    package let err: String

    /// Standard output as JSON; null where it is none.
    package var json: JSONValue { (try? JSONValue(parsing: out)) ?? .null }
  }

  /// Something that a test left behind, or a tool that is missing.
  package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
  }

  /// Marks the processes of this test: it is in the environment of all of them.
  package let id = "qvm-test-\(UUID().uuidString.prefix(8))"
  package let folder: URL
  /// Changes to the environment of every command.
  package var environment: [String: String]

  package var cache: URL { folder.appending(path: "cache") }
  package var runtime: URL { folder.appending(path: "run") }

  /// The path of the program to test in the built one's place; nil for that one.
  package static var otherProgram: String? {
    let path = ProcessInfo.processInfo.environment["QVM_TEST_PROGRAM"]
    return path?.isEmpty == false ? path : nil
  }

  /// The built program, beside the test bundle; or the one that `QVM_TEST_PROGRAM` names.
  package static var program: URL {
    get throws {
      if let path = otherProgram {
        guard FileManager.default.isExecutableFile(atPath: path) else {
          throw Failure("QVM_TEST_PROGRAM names \(path), which is no program")
        }
        return URL(filePath: path)
      }
      var place = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
      while place.path.count > 1 {
        place.deleteLastPathComponent()
        let program = place.appending(path: "qvm")
        if FileManager.default.isExecutableFile(atPath: program.path),
          !isFolder(program)
        {
          return program
        }
      }
      throw Failure("no qvm beside the tests: build it with 'swift build'")
    }
  }

  private static func isFolder(_ url: URL) -> Bool {
    (try? url.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == true
  }

  /// The folder of the package.
  package static var package: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }

  private init() throws {
    // Short: the sockets of a runtime folder below it must fit into an address.
    folder = FileManager.default.temporaryDirectory.appending(path: id)
    environment = [
      "QVM_CACHE": folder.appending(path: "cache").path,
      "XDG_RUNTIME_DIR": folder.appending(path: "run").path,
      "HOME": folder.path,
      "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
      "QVM_ACCEL": "tcg",
      // A forward from every address would take its port away from those of one address alone.
      "QVM_SSH_ADDRESS": "127.0.0.1",
      "QVM_QEMU": "system",
      // Nothing listens there: a test that reaches out by mistake fails at once.
      "QVM_BASE_URL": "http://127.0.0.1:1/none",
      "QVM_TEST_ID": id,
      "LC_ALL": "C.UTF-8",
      // A copy of Debian's QEMU looks for its accelerators beside itself.
      "QEMU_MODULE_DIR": "/usr/lib/x86_64-linux-gnu/qemu",
    ]
    try FileManager.default.createDirectory(
      at: folder.appending(path: "run"), withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
  }

  /// How many tests may have VMs at the same time. Most of their time they wait: two cores are half idle.
  private static let places = Places(6)

  /// Runs a test in a sandbox, ends its VMs, and fails where a process or a socket is left.
  ///
  /// - Parameters:
  ///   - beforeOthers: For the tests of a serialized suite, which wait for each other already. Behind all
  ///     others, too, they would be what is left when everything else is done.
  ///   - body: The test.
  /// - Throws: What the test throws; ``Failure`` if it left something behind.
  package static func with(
    beforeOthers: Bool = false, _ body: (inout Sandbox) async throws -> Void
  ) async throws {
    await places.take(beforeOthers: beforeOthers)
    defer { places.giveBack() }
    var sandbox = try Sandbox()
    do {
      try await body(&sandbox)
    } catch {
      print(sandbox.state)
      await sandbox.endEverything()
      try? FileManager.default.removeItem(at: sandbox.folder)
      throw error
    }
    let left = await sandbox.endEverything()
    let sockets = [sandbox.runtime, sandbox.cache].flatMap {
      (try? FileManager.default.subpathsOfDirectory(atPath: $0.path)) ?? []
    }
    let hidden =
      (try? FileManager.default.contentsOfDirectory(
        atPath: sandbox.cache.appending(path: "instances").path)) ?? []
    try? FileManager.default.removeItem(at: sandbox.folder)
    if !left.isEmpty { throw Failure("processes left behind: \(left.joined(separator: "; "))") }
    let stray = sockets.filter { $0.hasSuffix(".sock") }
    if !stray.isEmpty { throw Failure("sockets left behind: \(stray)") }
    let halves = hidden.filter { $0.hasPrefix(".") }
    if !halves.isEmpty { throw Failure("half-made or half-removed instances: \(halves)") }
  }

  /// Stops what the test left running in an orderly way, then kills what still is; what was killed.
  @discardableResult
  private func endEverything() async -> [String] {
    var left = processes
    // Without a process there is no VM.
    if left.isEmpty { return [] }
    if let list = try? await qvm("list", "--json").json["instances"]?.array {
      let names = list.compactMap { $0["name"]?.string }
      if !names.isEmpty { _ = try? await qvm(["stop", "--force"] + names) }
    }
    // A supervisor ends a moment after it has said that its VM has.
    let deadline = ContinuousClock.now.advanced(by: .seconds(3))
    var pause = Duration.milliseconds(5)
    left = processes
    while !left.isEmpty, ContinuousClock.now < deadline {
      try? await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(80))
      left = processes
    }
    for process in left { kill(process.pid, SIGKILL) }
    return left.map { "\($0.pid) \($0.command)" }
  }

  /// The living processes that carry this test's mark, or that were given one of its files: curl,
  /// tar and qemu-img get an environment without it.
  package var processes: [(pid: Int32, command: String)] {
    let (place, mark) = ("\(folder.path)/", "QVM_TEST_ID=\(id)")
    return ProcessTable().select { command, environment in
      environment.holds(mark) || command.holds(place) && !command.holds("release_server.py")
    }
  }

  // MARK: - Running commands

  /// Runs `qvm` to its end.
  package func qvm(_ words: String...) async throws -> Output { try await qvm(words) }

  /// Runs `qvm` to its end; kills it after a minute.
  package func qvm(_ words: [String], environment: [String: String] = [:]) async throws -> Output {
    try await run(try Self.program, words, environment: environment)
  }

  /// Runs a program to its end with this sandbox's environment; kills it after a minute.
  package func run(
    _ program: URL, _ words: [String], environment: [String: String] = [:]
  ) async throws -> Output {
    try await start(program, words, environment: environment).end()
  }

  /// Starts a program with this sandbox's environment.
  package func start(
    _ program: URL, _ words: [String], environment: [String: String] = [:]
  ) throws -> RunningCommand {
    let changed = self.environment.merging(environment) { $1 }.filter { !$0.value.isEmpty }
    return try RunningCommand(program, words, environment: changed, in: folder)
  }

  /// Starts `qvm`.
  package func start(_ words: String...) throws -> RunningCommand {
    try start(try Self.program, words)
  }

  /// `qvm status --json` of an instance.
  package func status(_ name: String) async throws -> JSONValue {
    try await qvm("status", "--json", name).json
  }

  /// Creates a qcow2 base image in the cache out of a guest's raw image, as if it had been pulled.
  package func plant(_ guest: Guest, as name: String, tag: String = "v0.0.0") async throws {
    try await plant(try guest.image, as: name, tag: tag)
  }

  /// The same out of any raw image.
  package func plant(_ raw: URL, as name: String, tag: String = "v0.0.0") async throws {
    let images = cache.appending(path: "images/\(tag)")
    try FileManager.default.createDirectory(
      at: images, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let image = images.appending(path: "\(name).qcow2")
    let result = try await run(
      try Tool.qemuImg.url,
      ["convert", "-f", "raw", "-O", "qcow2", raw.path, image.path])
    if result.status != 0 { throw Failure("qemu-img: \(result.err)") }
    let size = try FileManager.default.attributesOfItem(atPath: image.path)[.size] as? Int ?? 0
    let record: JSONValue = [
      "schema": 1, "url": .string("test:\(name)"), "tag": .string(tag),
      "bytes": .integer(Int64(size)),
      "sha256": "", "fetched": "2026-01-01T00:00:00Z",
    ]
    try Data(record.bytes).write(to: images.appending(path: "\(name).json"))
    try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: image.path)
    for folder in [cache, cache.appending(path: "images")] {
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.path)
    }
  }
}
