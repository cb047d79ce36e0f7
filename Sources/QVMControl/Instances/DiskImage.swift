package import QMPClient

/// The disks of instances: qcow2 overlays over a base image.
package enum DiskImage {
  /// The name of an overlay's base image in its header: relative to the overlay if both are in one
  /// cache, so that the cache can be moved.
  package static func reference(to baseImage: String, from disk: String) -> String {
    // <cache>/instances/<name>/disk.qcow2
    let instances = Files.parent(of: Files.parent(of: disk))
    let cache = Files.parent(of: instances)
    guard baseImage.hasPrefix("\(cache)/images/") else { return baseImage }
    return "../../\(baseImage.dropFirst(cache.count + 1))"
  }

  /// The absolute path of an overlay's base image; nil if it has none.
  ///
  /// - Throws: ``Qcow2Header/Problem``; ``FileError``.
  static func baseImage(of disk: String) throws -> String? {
    guard let name = try Qcow2Header.backingFile(of: disk) else { return nil }
    if name.hasPrefix("/") { return name }
    var (folder, rest) = (Files.parent(of: disk), name[...])
    while rest.hasPrefix("../") {
      folder = Files.parent(of: folder)
      rest = rest.dropFirst(3)
    }
    return "\(folder)/\(rest)"
  }

  /// Creates an overlay, which will hold what the guest writes. The base image is never written to.
  ///
  /// - Parameters:
  ///   - path: The overlay.
  ///   - baseImage: The base image.
  ///   - size: The disk's size in bytes, not less than that of the base image, with which the guest finds
  ///     the rest empty; nil for the same.
  ///   - format: The format of the base image.
  ///   - qemuImg: The program.
  ///   - loop: The loop to wait on.
  /// - Throws: ``InstanceError/cannotCreateDisk(path:why:)`` with qemu-img's error message.
  package static func createOverlay(
    at path: String, over baseImage: String, size: Int? = nil, format: String = "qcow2",
    qemuImg: String, on loop: EventLoop
  ) async throws {
    let output = try await Subprocess.run(
      qemuImg,
      [
        "create", "-q", "-f", "qcow2", "-b", reference(to: baseImage, from: path), "-F", format,
        path,
      ] + (size.map { [String($0)] } ?? []), on: loop)
    guard output.succeeded else {
      throw InstanceError.cannotCreateDisk(path: path, why: output.problem)
    }
    try Files.synchronize(path)
  }

  /// Changes the path of the base image in an overlay's header. The image there must have the same
  /// bytes as the one that the overlay was created over.
  ///
  /// - Throws: ``InstanceError/cannotMoveDisk(path:why:)`` with qemu-img's error message.
  static func rename(
    baseImage: String, of path: String, qemuImg: String, on loop: EventLoop
  ) async throws {
    let output = try await Subprocess.run(
      qemuImg,
      [
        "rebase", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b",
        reference(to: baseImage, from: path), path,
      ], environment: ToolEnvironment.entries, on: loop)
    guard output.succeeded else {
      throw InstanceError.cannotMoveDisk(path: path, why: output.problem)
    }
    try Files.synchronize(path)
  }

  /// Checks a disk after a restart of the host. With `cache=unsafe`, QEMU's last writes may be only
  /// partly on the disk.
  ///
  /// - Throws: ``InstanceError/diskCorrupt(name:path:why:)``; `CancellationError`.
  package static func check(
    _ path: String, of name: String, qemuImg: String, on loop: EventLoop
  ) async throws {
    let output = try await Subprocess.run(
      qemuImg, ["check", "-q", "-f", "qcow2", path], environment: ToolEnvironment.entries,
      within: Subprocess.longTime, on: loop)
    // Other statuses don't mean damage: leaked clusters, or a check that failed.
    guard output.end == .exited(2) else { return }
    throw InstanceError.diskCorrupt(name: name, path: path, why: output.problem)
  }
}
