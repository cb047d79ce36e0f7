internal import QMPClient

/// The size of a new instance's disk.
extension Launch {
  /// In bytes; nil for that of the base image.
  var diskSize: Int? {
    overrides.disk.flatMap { try? RunOptionValidation.diskSize($0).bytes }
  }

  /// Checks the size that is asked for by what is known without a download: the disk of an instance that
  /// exists, the image in the cache, or else what the releases' images have.
  ///
  /// - Throws: `otherDiskSize`; `diskTooSmall`.
  func checkDiskSize(in store: InstanceStore) throws {
    guard let size = diskSize, !mustExist else { return }
    if let name, store.exists(name) {
      let own = try? Qcow2Header.virtualSize(of: store.files(name).disk)
      // A disk that can't be read is reported later.
      guard let own, own != size else { return }
      throw InstanceError.otherDiskSize(
        name: name.text, has: ByteCount.binaryText(own), wanted: ByteCount.binaryText(size))
    }
    let image = BaseImage.find(target, in: cache)
    if let image {
      try checkDiskSize(over: image.path)
    } else if let least = target.operatingSystem.imageDiskSize {
      try check(size, least: least)
    }
  }

  /// Checks the size that is asked for by the base image.
  ///
  /// - Throws: `diskTooSmall`.
  func checkDiskSize(over baseImage: String) throws(RunOptionError) {
    guard let size = diskSize, let least = try? Qcow2Header.virtualSize(of: baseImage) else {
      return
    }
    try check(size, least: least)
  }

  private func check(_ size: Int, least: Int) throws(RunOptionError) {
    guard size < least else { return }
    throw .diskTooSmall(
      overrides.disk ?? "", least: least, guest: target.operatingSystem.displayName)
  }

  /// What the user has to know about a disk that is larger than its base image; nil for another one.
  func growthNotice(of name: InstanceName, over baseImage: String) -> String? {
    guard let size = diskSize, let base = try? Qcow2Header.virtualSize(of: baseImage), size > base
    else { return nil }
    return
      "the disk of \(name) has \(ByteCount.binaryText(size)), and its file systems have the \(ByteCount.binaryText(base))"
      + " of the image. \(target.operatingSystem.growthAdvice)"
  }
}
