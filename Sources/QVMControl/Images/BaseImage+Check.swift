package import QMPClient

/// Whether an image is still the one that was put into the cache.
extension BaseImage {
  /// The state of an image, judged without reading its bytes.
  package enum State: String, Sendable, Hashable, CaseIterable {
    case ok
    /// Its release has no digest to compare it with.
    case unverified
    /// Its stamp differs from the recorded one. Its bytes may still be the same.
    case changed
    /// Its record is missing or damaged.
    case incompleteRecord = "incomplete record"
    /// Instances need it, but it is missing.
    case missing
  }

  /// The state, from the file's stamp and the record.
  package var state: State {
    guard let found = Files.information(path) else { return .missing }
    if !isRecorded { return .incompleteRecord }
    if let stamp, stamp != FileStamp(found) { return .changed }
    if found.size != size { return .changed }
    return isUnverified || sha256 == nil ? .unverified : .ok
  }

  /// Whether its bytes must be read to know if it is the recorded image: the size is the same but
  /// the stamp differs, as after copying the cache or restoring it from an archive.
  package var needsComparison: Bool {
    guard state == .changed, sha256 != nil, let found = Files.information(path) else {
      return false
    }
    return found.kind == .file && found.size == size
  }

  /// The state, by the digest if the stamp differs. If the image is the same, its new stamp is
  /// recorded, so that its bytes are read only once.
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
      // If the record can't be written, the image is still the same.
      do { _ = try await recorded(as: seen, sha256: sha256, on: loop) } catch is FileError {}
    }
    return isUnverified ? .unverified : .ok
  }

  /// Checks that an image can be used under a disk. If its stamp is unchanged, that is enough.
  /// Otherwise its bytes are compared with the record, and its new stamp is recorded.
  ///
  /// - Parameters:
  ///   - digest: The digest in an instance's record; nil if it has none.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: The image as it is recorded now.
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

  /// Records the file's stamp, after its bytes were checked.
  func recorded(
    as seen: FileStamp, sha256: String?, on loop: EventLoop
  ) async throws -> BaseImage {
    let image = BaseImage(self, stamp: seen, sha256: sha256)
    let folder = Files.parent(of: Files.parent(of: path))
    // Without the lock, the record could reappear after the image was removed.
    let lock = try await ImagesLock.shared(at: folder, on: loop)
    defer { lock.release() }
    guard let found = Files.information(path), FileStamp(found) == seen else { return image }
    try JSONFile.write(image.record, to: Self.recordPath(path))
    return image
  }

  /// The base image at a path; nil if it is gone.
  static func at(_ path: String) -> BaseImage? {
    BaseImage(at: path, tag: String(Files.lastName(of: Files.parent(of: path))))
  }

  // MARK: - Fetching the same one again

  /// The image's target; nil for a file with another kind of name.
  package var target: Target? { Target(imageName: name) }
}

/// The checks before a file becomes a base image.
extension BaseImage {
  /// Checks that a file is an image that needs no other file.
  ///
  /// - Throws: ``ImageError`` `unusable`; ``FileError`` if it can't be read.
  static func checkHeader(of file: String, name: String) throws {
    let head = try Files.head(of: file, count: Qcow2Header.length)
    do throws(Qcow2Header.Problem) { try Qcow2Header.check(head) } catch {
      throw ImageError.unusable(name: name, error)
    }
  }

  /// Checks with `qemu-img check` that an image is complete and consistent.
  ///
  /// - Throws: ``ImageError`` `corrupt`; ``ToolchainError`` `cannotCheck` if the check fails;
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
    // 3 means leaked clusters: they waste space, but the guest reads the right data.
    case .exited(0), .exited(3): return
    case .exited(2): throw ImageError.corrupt(name: name, why: output.problem)
    // The image could not be opened. An image that needs a newer program is not damaged.
    case .exited(1)
    where ["Could not open '\(file)'", "Check failed"].contains(where: output.problem.contains)
      && !["nsupported", "Permission denied"].contains(where: output.problem.contains):
      throw ImageError.corrupt(name: name, why: output.problem)
    // Any other end is a failure of the program.
    default:
      throw ToolchainError.cannotCheck(
        program: tools.qemuImg, name: name, why: output.problem)
    }
  }
}

/// Verifying an image later, if its release had no digest when it was downloaded.
extension BaseImage {
  /// The result.
  enum Verification: Sendable {
    /// The release has no digest for it, or the list is unavailable.
    case unknown
    /// It has the release's digest, which is recorded now if the cache can be written.
    case right(BaseImage)
    case wrong(found: String, expected: String)
  }

  /// Whether it was downloaded without a digest and can be verified later: its file must be a
  /// release's asset, byte for byte. No release has the digest of an image from a bundle.
  var isVerifiable: Bool {
    (isUnverified || sha256 == nil)
      && url.map { Files.lastName(of: $0) == "\(name).qcow2" } ?? false
  }

  /// Compares the image with its release's digest.
  ///
  /// - Parameters:
  ///   - expected: The release's digest; nil if unknown.
  ///   - computed: The digest of its bytes, if it was just computed.
  ///   - isRecording: Whether to record the result.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: The result.
  /// - Throws: ``FileError`` if it can't be recorded; `CancellationError`.
  func verified(
    against expected: String?, computed: String? = nil, isRecording: Bool, on loop: EventLoop
  ) async throws -> Verification {
    guard isVerifiable, let expected, let seen = Files.information(path).map({ FileStamp($0) })
    else {
      return .unknown
    }
    var found = computed
    if found == nil, stamp == seen { found = sha256 }
    if found == nil { found = try await FileDigest.sha256(of: path, on: loop) }
    guard let found else { return .unknown }
    if found != expected { return .wrong(found: found, expected: expected) }
    let verified = BaseImage(self, stamp: seen, sha256: found, isVerified: true)
    return .right(
      isRecording ? try await verified.recorded(as: seen, sha256: found, on: loop) : verified)
  }
}
