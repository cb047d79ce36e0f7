internal import QMPClient

extension Launch {
  /// Makes sure that the image under an instance's disk is there, as it was, and is the one that the
  /// disk names.
  ///
  /// - Throws: `baseImageMissing`, `cannotMoveDisk`; ``ImageError`` `changed`; ``ToolchainError``,
  ///   ``FileError``; `CancellationError`.
  func checkBaseImage(of instance: InstanceStore.Locked, with client: ReleaseClient) async throws {
    let record = instance.record
    let path = cache.place(ofImage: record.baseImage)
    guard Files.exists(path) else {
      throw InstanceError.baseImageMissing(name: instance.name.text, path: path)
    }
    try await BaseImage.at(path)?.checked(against: record.baseDigest, on: client.loop)
    try await follow(path, instance, with: client)
  }

  /// Has a disk find its base image in a cache that was moved or copied.
  ///
  /// It names it by a path from the root where an older qvm made it. In a copy that leads to the
  /// image of the cache that was copied, which may be removed at any time.
  private func follow(
    _ path: String, _ instance: InstanceStore.Locked, with client: ReleaseClient
  ) async throws {
    let disk = instance.files.disk
    // What is wrong with a disk is QEMU's to say.
    guard let named = try? DiskImage.baseImage(of: disk),
      // Another one is what its owner has put it on.
      ImageUsers.key(named) == ImageUsers.key(path), !Files.areSame(named, path)
    else { return }
    guard let tools = ImageTools.present(in: cache) else { throw ToolchainError.qemuImgMissing }
    try await DiskImage.rename(
      baseImage: path, of: disk, qemuImg: tools.qemuImg, on: client.loop)
    client.notify(
      "the cache was moved: the disk of \(instance.name) stands on \(path) now, and no more on"
        + " \(named)")
  }
}
