package import QMPClient

/// The result of `qvm verify` for one base image or one QEMU.
package struct VerificationReport: Sendable {
  package enum Finding: Sendable, Hashable {
    case ok
    /// Unchanged since the download, but its release has no digest.
    case unverified
    case missing
    case incompleteRecord
    /// Its bytes differ from the record.
    case changed
    /// It is damaged; with the end of a sentence about it.
    case damaged(String)
    /// It could not be checked; with the end of a sentence about why.
    case unchecked(String)

    package var word: String {
      switch self {
      case .ok: "ok"
      case .unverified: "unverified"
      case .missing: "missing"
      case .incompleteRecord: "incomplete record"
      case .changed: "changed"
      case .damaged: "damaged"
      case .unchecked: "not checked"
      }
    }

    /// What is wrong, as the end of a sentence that begins with the path.
    package var sentence: String {
      switch self {
      case .ok, .unverified: "is as it was fetched"
      case .missing: "is missing"
      case .incompleteRecord: "has no usable record to compare it with"
      case .changed: "has changed since it was fetched"
      case .damaged(let why), .unchecked(let why): why
      }
    }

    package var isGood: Bool { self == .ok || self == .unverified }

    /// The reason, if the name of the result isn't enough.
    package var reason: String? {
      switch self {
      case .damaged(let why), .unchecked(let why): why
      default: nil
      }
    }

    /// Whether replacing it would help.
    var isToBeReplaced: Bool {
      if case .unchecked = self { false } else { !isGood }
    }
  }

  package let isImage: Bool
  package let name: String
  package let tag: String
  package let path: String
  package let result: Finding
  /// The instances that need it.
  package let users: [String]
  /// The command that repairs it; nil if nothing is wrong or there is none.
  package let command: String?

  package var json: JSONObject {
    var object: JSONObject = [
      "name": .string(name), "release": .string(tag), "path": .string(path),
      "result": .string(result.word),
    ]
    object["reason"] = result.reason.map(JSONValue.string)
    object["usedBy"] = .array(users.map(JSONValue.string))
    object["command"] = command.map(JSONValue.string)
    return object
  }
}

extension VerificationReport {
  /// Checks one base image, including its bytes.
  ///
  /// - Parameters:
  ///   - status: The image.
  ///   - cache: The cache.
  ///   - tools: The `qemu-img` that checks the image; nil to skip that.
  ///   - published: The current digests of the releases.
  ///   - loop: The loop that the calling task runs on.
  /// - Throws: `CancellationError`; ``FileError`` if the instances can't be listed.
  package init(
    _ status: ImageStatus, in cache: Cache, with tools: ImageTools?,
    _ published: PublishedDigests, on loop: EventLoop
  ) async throws {
    isImage = true
    name = status.name
    tag = status.tag
    path = status.path
    users = status.users
    result = try await Self.look(at: status, in: cache, with: tools, published, on: loop)
    command = result.isToBeReplaced ? Target.pullCommand(for: status.path) : nil
  }

  private static func look(
    at status: ImageStatus, in cache: Cache, with tools: ImageTools?,
    _ published: PublishedDigests, on loop: EventLoop
  ) async throws -> Finding {
    guard let image = status.image, let found = Files.information(image.path) else {
      return .missing
    }
    let seen = FileStamp(found)
    if image.isRecorded, found.size != image.size { return .changed }
    let known = try ImageUsers(in: cache).digests(of: image.path).union(
      [image.sha256].compactMap(\.self))
    let computed: String?
    var failure: ToolchainError?
    do {
      try BaseImage.checkHeader(of: image.path, name: image.name)
      if let tools {
        do {
          try await BaseImage.check(image.path, name: image.name, with: tools, on: loop)
        } catch let error as ToolchainError {
          failure = error
        }
      }
      computed = try await FileDigest.sha256(of: image.path, on: loop)
    } catch ImageError.unusable(_, let problem) {
      return .damaged(problem.description)
    } catch ImageError.corrupt(_, let why) {
      return .damaged("is corrupt: \(why)")
    } catch let error as FileError {
      return .unchecked("cannot be checked: \(error.message)")
    }
    guard let computed else {
      return .damaged("has no digest, because no program here can compute one")
    }
    if !known.allSatisfy({ $0 == computed }) { return .changed }
    if let failure { return .unchecked("cannot be checked: \(failure.message)") }
    if !image.isRecorded, known.isEmpty { return .incompleteRecord }
    do {
      switch try await image.verified(
        against: published.digest(of: image), computed: computed, isRecording: cache.isOwn, on: loop
      )
      {
      case .unknown: break
      case .right: return .ok
      case .wrong(let found, let expected):
        return .damaged("has the SHA-256 \(found), but the release \(image.tag) says \(expected)")
      }
    } catch let error as FileError {
      return .unchecked("is good, but this cannot be recorded: \(error.message)")
    }
    if cache.isOwn, !image.isRecorded || image.sha256 == nil || image.stamp != seen {
      do {
        let recorded = try await image.recorded(as: seen, sha256: computed, on: loop)
        return recorded.isUnverified ? .unverified : .ok
      } catch let error as FileError {
        // Not thrown, so that the other images are checked too.
        return .unchecked("is good, but this cannot be recorded: \(error.message)")
      }
    }
    return image.isUnverified || image.sha256 == nil ? .unverified : .ok
  }

  /// Checks a managed QEMU: whether its programs and firmware are valid, and all files unchanged
  /// since they were unpacked.
  ///
  /// - Parameters:
  ///   - build: The QEMU.
  ///   - loop: The loop that the calling task runs on.
  /// - Throws: `CancellationError`.
  package init(_ build: QEMUBuild, on loop: EventLoop) async throws {
    isImage = false
    name = build.target == "img" ? "qemu-img" : "qemu \(build.target)"
    tag = build.tag
    path = build.path
    users = []
    if let problem = build.problem() {
      result = .damaged(problem)
    } else {
      result =
        switch try await build.comparison(on: loop) {
        case .same: .ok
        case .changed(let file): .damaged("has changed since it was fetched: \(file)")
        case .unknown: .unverified
        }
    }
    command = result.isGood ? nil : "rm -rf \(QEMUArguments.shellQuoted(build.path))"
  }
}
