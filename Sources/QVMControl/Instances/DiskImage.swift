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
}
