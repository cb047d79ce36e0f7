package import QMPClient

/// The disks of instances: qcow2 overlays over a base image.
package enum DiskImage {
  /// Creates an overlay that holds what the guest writes, while the base image stays as it is.
  ///
  /// - Throws: ``InstanceError/cannotCreateDisk(path:why:)`` with qemu-img's own words.
  package static func createOverlay(
    at path: String, over baseImage: String, format: String = "qcow2", qemuImg: String,
    on loop: EventLoop
  ) async throws {
    let output = try await Program.run(
      qemuImg, ["create", "-q", "-f", "qcow2", "-b", baseImage, "-F", format, path], on: loop)
    guard output.succeeded else {
      throw InstanceError.cannotCreateDisk(path: path, why: output.complaint)
    }
    try Files.synchronize(path)
  }

  /// Looks through a disk that a host was restarted under: with `cache=unsafe` what QEMU had written
  /// last may be there in part only.
  ///
  /// - Throws: ``InstanceError/diskCorrupt(name:path:why:)``; `CancellationError`.
  package static func check(
    _ path: String, of name: String, qemuImg: String, on loop: EventLoop
  ) async throws {
    let output = try await Program.run(
      qemuImg, ["check", "-q", "-f", "qcow2", path], environment: ToolEnvironment.entries,
      within: Program.longTime, on: loop)
    // Anything else is no word on the disk: space that belongs to nothing, or a check that failed.
    guard output.end == .exited(2) else { return }
    throw InstanceError.diskCorrupt(name: name, path: path, why: output.complaint)
  }
}
