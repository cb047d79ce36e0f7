package import QMPClient

/// The disks of instances: qcow2 overlays over a base image.
package enum DiskImage {
  /// How an overlay names its base image: relative to itself where both are in one cache, so that the
  /// cache can be moved.
  package static func reference(to baseImage: String, from disk: String) -> String {
    // <cache>/instances/<name>/disk.qcow2
    let instances = Files.parent(of: Files.parent(of: disk))
    let cache = Files.parent(of: instances)
    guard baseImage.hasPrefix("\(cache)/images/") else { return baseImage }
    return "../../\(baseImage.dropFirst(cache.count + 1))"
  }

  /// The absolute path of the image that an overlay names; nil where it needs none.
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

  /// Creates an overlay that holds what the guest writes, while the base image stays as it is.
  ///
  /// - Throws: ``InstanceError/cannotCreateDisk(path:why:)`` with qemu-img's own words.
  package static func createOverlay(
    at path: String, over baseImage: String, format: String = "qcow2", qemuImg: String,
    on loop: EventLoop
  ) async throws {
    let output = try await Subprocess.run(
      qemuImg,
      [
        "create", "-q", "-f", "qcow2", "-b", reference(to: baseImage, from: path), "-F", format,
        path,
      ], on: loop)
    guard output.succeeded else {
      throw InstanceError.cannotCreateDisk(path: path, why: output.complaint)
    }
    try Files.synchronize(path)
  }

  /// Has an overlay name its base image, which must have the same bytes as the one that it was made
  /// over, by another path.
  ///
  /// - Throws: ``InstanceError/cannotMoveDisk(path:why:)`` with qemu-img's own words.
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
      throw InstanceError.cannotMoveDisk(path: path, why: output.complaint)
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
    let output = try await Subprocess.run(
      qemuImg, ["check", "-q", "-f", "qcow2", path], environment: ToolEnvironment.entries,
      within: Subprocess.longTime, on: loop)
    // Anything else is no word on the disk: space that belongs to nothing, or a check that failed.
    guard output.end == .exited(2) else { return }
    throw InstanceError.diskCorrupt(name: name, path: path, why: output.complaint)
  }
}
