package import Foundation
internal import QMPClient

/// A disk of a few megabytes in memory, for a cache that is to run out of room.
///
/// It is mounted in a namespace where the user is root without being root; whatever is to see it
/// has to run there, too.
package struct SmallDisk: Sendable {
  private let sandbox: Sandbox
  private let holder: RunningCommand

  /// Mounts a disk at a folder of a sandbox, and unmounts it with all that is on it in the end.
  /// Instances that the body started are stopped before that.
  package static func with(
    _ sandbox: Sandbox, at folder: URL, size: String, _ body: (SmallDisk) async throws -> Void
  ) async throws {
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let script = """
      mount -t tmpfs -o mode=700,size=\(size) small '\(folder.path)' && echo mounted \
        && exec sleep 600
      """
    let holder = try sandbox.start(
      URL(filePath: "/usr/bin/unshare"),
      ["--user", "--map-root-user", "--mount", "sh", "-c", script])
    let disk = SmallDisk(sandbox: sandbox, holder: holder)
    let deadline = ContinuousClock.now.advanced(by: .seconds(10))
    while !holder.output.out.contains("mounted"), ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(10))
    }
    let others = await disk.instances()
    do { try await body(disk) } catch {
      await disk.unmount(except: others)
      throw error
    }
    await disk.unmount(except: others)
  }

  private func instances() async -> Set<String> {
    let list = try? await qvm("list", "--json").json["instances"]?.array
    return Set((list ?? []).compactMap { $0["name"]?.string })
  }

  private func unmount(except others: Set<String>) async {
    let names = await instances().subtracting(others)
    if !names.isEmpty { _ = try? await qvm(["stop", "--force"] + names) }
    holder.signal(SIGKILL)
    _ = try? await holder.end()
  }

  // MARK: - Running commands there

  /// Runs `qvm` to its end.
  package func qvm(_ words: String...) async throws -> Sandbox.Output { try await qvm(words) }

  /// Runs `qvm` to its end.
  package func qvm(_ words: [String]) async throws -> Sandbox.Output {
    try await start(try Sandbox.program.path, words).end()
  }

  /// Runs a line of shell to its end, and makes sure that it succeeds.
  @discardableResult
  package func shell(_ line: String) async throws -> String {
    let output = try await start("/bin/sh", ["-c", line]).end()
    if output.status != 0 { throw Sandbox.Failure("\(line): \(output.err)") }
    return output.out
  }

  /// Starts a program.
  package func start(_ program: String, _ words: [String]) throws -> RunningCommand {
    try sandbox.start(
      URL(filePath: "/usr/bin/nsenter"),
      ["--target", "\(holder.pid)", "--user", "--mount", "--preserve-credentials", program] + words)
  }

  /// Gives the disk another size.
  package func resize(_ folder: URL, to size: String) async throws {
    try await shell("mount -o remount,size=\(size) '\(folder.path)'")
  }
}
