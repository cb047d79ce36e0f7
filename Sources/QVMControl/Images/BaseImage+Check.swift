package import QMPClient

/// Whether an image is still what was put into the cache.
extension BaseImage {
  /// How an image looks without reading its bytes.
  package enum State: String, Sendable, Hashable, CaseIterable {
    case ok
    /// Its release names no digest that it could have been compared with.
    case unverified
    /// Its file isn't the one that was checked; its bytes may be the same all the same.
    case changed
    /// Its record is gone or damaged.
    case incompleteRecord = "incomplete record"
    /// Instances need it and it isn't there.
    case missing
  }

  /// Looks at the file and its record, and reads neither's bytes again.
  package var state: State {
    guard let found = Files.information(path) else { return .missing }
    if !isRecorded { return .incompleteRecord }
    if let stamp, stamp != FileStamp(found) { return .changed }
    if found.size != size { return .changed }
    return isUnverified || sha256 == nil ? .unverified : .ok
  }

  /// Whether only its bytes tell if it is the one on record: a file of the same size with another
  /// stamp, as after a copy of the cache or out of an archive.
  package var needsComparison: Bool {
    guard state == .changed, sha256 != nil, let found = Files.information(path) else {
      return false
    }
    return found.kind == .file && found.size == size
  }

  /// How an image looks, with its digest where its stamp is another one. An image that turns out to be
  /// the same gets its new stamp on record, so that its bytes are read once.
  ///
  /// - Parameters:
  ///   - isRecording: Whether the cache may be written to.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: The state.
  /// - Throws: ``FileError`` if the image can't be read; `CancellationError`.
  package func compared(isRecording: Bool, on loop: EventLoop) async throws -> State {
    guard needsComparison, let found = Files.information(path) else { return state }
    let seen = FileStamp(found)
    guard try await FileDigest.sha256(of: path, on: loop) == sha256 else { return .changed }
    if isRecording {
      // A disk that takes no record doesn't make the image another one.
      do { _ = try await recorded(as: seen, sha256: sha256, on: loop) } catch is FileError {}
    }
    return isUnverified ? .unverified : .ok
  }

  /// Makes sure that an image can be under a disk: a glance where nothing has changed, else its
  /// bytes are compared with the record, and if they are right its new looks are recorded.
  ///
  /// - Parameters:
  ///   - digest: The digest that an instance knows its base image by; nil where it knows none.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: The image as it is on record now.
  /// - Throws: ``ImageError`` `changed`; ``FileError``; `CancellationError`.
  @discardableResult
  func checked(against digest: String? = nil, on loop: EventLoop) async throws -> BaseImage {
    if let digest, let sha256, digest != sha256 {
      throw ImageError.changed(path: path, .replaced)
    }
    guard let found = Files.information(path), found.kind == .file else {
      throw ImageError.changed(path: path, .gone)
    }
    let seen = FileStamp(found)
    if isRecorded, stamp == seen { return self }
    if isRecorded, found.size != size {
      throw ImageError.changed(path: path, .size(found.size, expected: size))
    }
    let computed = try await FileDigest.sha256(of: path, on: loop)
    if let computed, let known = sha256 ?? digest, computed != known {
      throw ImageError.changed(path: path, .content)
    }
    return try await recorded(as: seen, sha256: computed ?? sha256 ?? digest, on: loop)
  }

  /// Notes what the file looks like now that its bytes are known to be right.
  func recorded(
    as seen: FileStamp, sha256: String?, on loop: EventLoop
  ) async throws -> BaseImage {
    let image = BaseImage(self, stamp: seen, sha256: sha256)
    let folder = Files.parent(of: Files.parent(of: path))
    // Otherwise the record could come back after the image was removed.
    let lock = try await ImagesLock.shared(at: folder, on: loop)
    defer { lock.release() }
    guard let found = Files.information(path), FileStamp(found) == seen else { return image }
    try JSONFile.write(image.record, to: Self.recordPath(path))
    return image
  }

  /// The base image at a path, as an instance names it; nil where it is gone.
  static func at(_ path: String) -> BaseImage? {
    BaseImage(at: path, tag: String(Files.lastName(of: Files.parent(of: path))))
  }

  // MARK: - Fetching the same one again

  /// What the image is for; nil for a file that has another kind of name.
  package var target: Target? { Target(imageName: name) }
}

/// What is looked at before a file is taken for a base image.
extension BaseImage {
  /// Makes sure that a file is an image that needs no other.
  ///
  /// - Throws: ``ImageError`` `unusable`; ``FileError`` where it can't be read.
  static func checkHeader(of file: String, name: String) throws {
    let head = try Files.head(of: file, count: Qcow2Header.length)
    do throws(Qcow2Header.Problem) { _ = try Qcow2Header(head) } catch {
      throw ImageError.unusable(name: name, error)
    }
  }

  /// Makes sure that all of an image is there, and right.
  ///
  /// - Throws: ``ImageError`` `corrupt`; ``ToolchainError`` `cannotCheck` where that can't be told;
  ///   `CancellationError`.
  static func check(
    _ file: String, name: String, with tools: ImageTools, on loop: EventLoop
  ) async throws {
    let output: Subprocess.Output
    do {
      output = try await Subprocess.run(
        tools.qemuImg, ["check", "-q", "-f", "qcow2", file], environment: ToolEnvironment.entries,
        within: Subprocess.longTime, on: loop)
    } catch let error as SpawnError {
      throw ToolchainError.cannotCheck(
        program: tools.qemuImg, name: name, why: error.cause.reason)
    }
    // The statuses are those of `man qemu-img`.
    switch output.end {
    // 3 is space that belongs to nothing: a waste, but all that the guest reads is right.
    case .exited(0), .exited(3): return
    case .exited(2): throw ImageError.corrupt(name: name, why: output.complaint)
    // It could not so much as begin; an image that takes a newer program is no damaged one.
    case .exited(1)
    where ["Could not open '\(file)'", "Check failed"].contains(where: output.complaint.contains)
      && !["nsupported", "Permission denied"].contains(where: output.complaint.contains):
      throw ImageError.corrupt(name: name, why: output.complaint)
    // Whatever else says something about the program.
    default:
      throw ToolchainError.cannotCheck(
        program: tools.qemuImg, name: name, why: output.complaint)
    }
  }
}
