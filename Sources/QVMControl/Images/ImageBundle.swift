internal import QMPClient

/// A base image as a bundle: `<os>-<version>-<arch>.tar.zst` with a raw `disk.img`. NetBSD's
/// releases have bundles instead of qcow2 images since v1.0.0. The bundle's kernel, for other
/// machines, is ignored.
///
/// The disk is converted to a qcow2 image, so that all base images have the same format. Its header
/// and size show whether it is complete, `qemu-img check` can check it, and it is quick to hash. A
/// copy without support for holes doesn't inflate it.
struct ImageBundle: Sendable {
  /// The downloaded file.
  let path: String
  /// Its name in messages.
  let name: String
  /// Returns the free space on the disk of a folder, in bytes; nil if unknown.
  var freeSpace: @Sendable (_ folder: String) -> Int? = { Files.freeSpace(at: $0) }

  static func name(of image: String) -> String { "\(image).tar.zst" }

  private static let disk = "disk.img"
  /// Several times the size of the releases' disks, in bytes. Most of those are holes.
  private static let largest = 64 << 30
  /// In this time tar writes far less than what must stay free.
  private static let watchInterval = Duration.milliseconds(10)

  /// Whether bundles can be unpacked here: with zstd, which tar calls, or with a tar that has it
  /// built in.
  static func canUnpack(on loop: EventLoop) async -> Bool {
    guard let tar = Host.find("tar") else { return false }
    if Host.find("zstd") != nil { return true }
    let version = try? await Subprocess.run(
      tar, ["--version"], environment: ToolEnvironment.entries, on: loop)
    return version.map { String(decoding: $0.standardOutput, as: UTF8.self).contains("libzstd") }
      ?? false
  }

  /// Unpacks the bundle and converts its disk to a qcow2 image.
  ///
  /// - Parameters:
  ///   - folder: The working folder. It must not exist yet. The image is in it afterwards.
  ///   - qemuImg: The program that converts it.
  ///   - lock: A lock that tar and qemu-img hold too.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: The image's path.
  /// - Throws: ``ArchiveError`` for an invalid bundle; ``ImageError``; ``DownloadError`` if the
  ///   disk is full; `CancellationError`.
  func image(
    in folder: String, qemuImg: String, holding lock: FileLock, on loop: EventLoop
  ) async throws -> String {
    let head = try Files.head(of: path, count: 512)
    guard head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) else {
      throw ArchiveError.notBundle(name: name, found: FileKind.description(of: head))
    }
    guard let tar = Host.find("tar") else { throw ArchiveError.tarMissing }
    try Files.makeFolder(folder)
    let raw = "\(folder)/\(Self.disk)"
    try checkSpace(for: Files.information(path)?.size ?? 0, at: folder)
    let unpacking = try await watching(folder, raw, on: loop) {
      // tar keeps the holes of the disk: it writes only two of twelve gigabytes.
      try await Subprocess.run(
        tar,
        [
          "-x", "--zstd", "-f", path, "-C", folder, "-o", "--no-same-permissions", Self.disk,
        ], environment: ToolEnvironment.entries, inheriting: [lock.descriptor],
        within: Subprocess.longTime, on: loop)
    }
    guard unpacking.succeeded else {
      try checkSpace(for: 0, at: folder)
      throw ArchiveError.cannotUnpack(name: name, why: unpacking.problem)
    }
    if let problem = try Self.problem(raw) {
      throw ArchiveError.badMember(name: name, member: Self.disk, why: problem)
    }
    try checkSpace(for: Files.information(raw)?.allocated ?? 0, at: folder)
    let image = "\(folder)/image.qcow2"
    let converting = try await Subprocess.run(
      qemuImg, ["convert", "-f", "raw", "-O", "qcow2", raw, image],
      environment: ToolEnvironment.entries, inheriting: [lock.descriptor],
      within: Subprocess.longTime, on: loop)
    guard converting.succeeded else {
      try checkSpace(for: 0, at: folder)
      // Any bytes are a valid raw disk, so this is not the bundle's fault.
      throw ToolchainError.cannotRun(program: qemuImg, why: converting.problem)
    }
    try Files.remove(raw)
    return image
  }

  /// What is wrong with a raw disk, as the end of a sentence; nil if it is plausible.
  static func problem(_ path: String) throws -> String? {
    guard let found = Files.information(path), found.kind == .file else { return "is not a file" }
    let head = try Files.head(of: path, count: 512)
    // The signature of a master boot record, also of the one before a GPT.
    guard head.count == 512, head[510] == 0x55, head[511] == 0xAA else {
      let kind = FileKind.description(of: head)
      return kind == "something else" ? "has no partition table" : "is not a disk image but \(kind)"
    }
    return found.size % 512 == 0 && found.size >= 1 << 20
      ? nil : "has \(found.size) bytes, which is not the size of a disk"
  }

  /// Runs tar, and ends it if the disk becomes too large or leaves too little free space.
  private func watching(
    _ folder: String, _ raw: String, on loop: EventLoop,
    _ unpack: @escaping @Sendable () async throws -> Subprocess.Output
  ) async throws -> Subprocess.Output {
    let check = { @Sendable in
      if Files.information(raw)?.size ?? 0 > Self.largest {
        throw ArchiveError.tooMuch(name: name, limit: ByteCount.text(Self.largest))
      }
      try checkSpace(for: 0, at: folder)
    }
    return try await withThrowingTaskGroup(of: Subprocess.Output?.self) { group in
      group.addTask { try await unpack() }
      group.addTask {
        while true {
          try await loop.sleep(until: .now.advanced(by: Self.watchInterval))
          try check()
        }
      }
      defer { group.cancelAll() }
      // Only the other task returns nil, and it always throws first.
      guard let output = try await group.next() ?? nil else { throw CancellationError() }
      try check()
      return output
    }
  }

  private func checkSpace(for needed: Int, at folder: String) throws(DownloadError) {
    guard let free = freeSpace(folder), free < needed + Download.spare else { return }
    throw .diskFull(folder: folder, needed: needed > 0 ? needed : nil, free: free)
  }
}
