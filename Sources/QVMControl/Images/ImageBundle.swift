internal import QMPClient

/// A base image as a bundle: `<os>-<version>-<arch>.tar.zst` with a raw `disk.img`, as NetBSD's
/// releases have it since v1.0.0 instead of a qcow2 image. Its kernel for other machines is left.
///
/// The disk becomes a qcow2 image, so that every base image is of one kind: with a header and a
/// length that say whether it is whole, checked by `qemu-img check`, quick to hash again, and not
/// inflated by a copy that knows no holes.
struct ImageBundle: Sendable {
  /// The downloaded file.
  let path: String
  /// The name to speak of it.
  let name: String
  /// Tells the free bytes of the disk that a folder is on; nil where that isn't known.
  var freeSpace: @Sendable (_ folder: String) -> Int? = { Files.freeSpace(at: $0) }

  static func name(of image: String) -> String { "\(image).tar.zst" }

  private static let disk = "disk.img"
  /// Several times what the bundles of the releases have, in bytes; most of it are holes.
  private static let largest = 64 << 30
  /// What tar writes meanwhile is far less than what must stay free.
  private static let watchInterval = Duration.milliseconds(10)

  /// Whether there is something here that decompresses bundles: zstd for tar to call, or a tar that
  /// has it in itself.
  static func canUnpack(on loop: EventLoop) async -> Bool {
    guard let tar = Host.find("tar") else { return false }
    if Host.find("zstd") != nil { return true }
    let version = try? await Subprocess.run(
      tar, ["--version"], environment: ToolEnvironment.entries, on: loop)
    return version.map { String(decoding: $0.standardOutput, as: UTF8.self).contains("libzstd") }
      ?? false
  }

  /// Makes the qcow2 image.
  ///
  /// - Parameters:
  ///   - folder: Where to work; it doesn't exist yet, and the image is in it afterwards.
  ///   - qemuImg: The program that makes it.
  ///   - lock: Held by tar and qemu-img too.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: The image's path.
  /// - Throws: ``ArchiveError`` for a bundle that is none; ``ImageError``; ``DownloadError`` where
  ///   the disk has no room; `CancellationError`.
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
      // tar keeps the holes that the bundle was made with: of twelve gigabytes it writes two.
      try await Subprocess.run(
        tar,
        [
          "-x", "--zstd", "-f", path, "-C", folder, "-o", "--no-same-permissions", Self.disk,
        ], environment: ToolEnvironment.entries, inheriting: [lock.descriptor],
        within: Subprocess.longTime, on: loop)
    }
    guard unpacking.succeeded else {
      try checkSpace(for: 0, at: folder)
      throw ArchiveError.cannotUnpack(name: name, why: unpacking.complaint)
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
      // Any bytes make a raw disk: this says nothing of the bundle.
      throw ToolchainError.cannotRun(program: qemuImg, why: converting.complaint)
    }
    try Files.remove(raw)
    return image
  }

  /// What is wrong with a raw disk, as the end of a sentence; nil if it can be one.
  static func problem(_ path: String) throws -> String? {
    guard let found = Files.information(path), found.kind == .file else { return "is not a file" }
    let head = try Files.head(of: path, count: 512)
    // A master boot record ends so, and so does the one that stands before a GPT.
    guard head.count == 512, head[510] == 0x55, head[511] == 0xAA else {
      let kind = FileKind.description(of: head)
      return kind == "something else" ? "has no partition table" : "is not a disk image but \(kind)"
    }
    return found.size % 512 == 0 && found.size >= 1 << 20
      ? nil : "has \(found.size) bytes, which is not the size of a disk"
  }

  /// Runs tar, and ends it where the disk that comes out is too large, or leaves no room.
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
      // Only the watch gives none, and it ends with an error.
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
