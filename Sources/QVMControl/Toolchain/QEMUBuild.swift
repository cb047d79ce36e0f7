package import QMPClient

/// A managed QEMU, or the managed `qemu-img`, in the cache.
package struct QEMUBuild: Sendable {
  /// QEMU's name for the guests' architecture; `img` for qemu-img.
  package let target: String
  package let tag: String
  /// Its folder.
  package let path: String

  /// The builds that are installed, by target.
  package static func all(in cache: Cache) -> [QEMUBuild] {
    let folder = "\(cache.path)/qemu"
    return Files.list(folder).compactMap { name in
      guard !name.hasPrefix("."), let tag = ReleaseMarker.tag(in: "\(folder)/\(name)") else {
        return nil
      }
      return QEMUBuild(target: name, tag: tag, path: "\(folder)/\(name)")
    }
  }

  /// The space that it takes on the disk, in bytes.
  package var size: Int { Files.allocated(below: path) }

  package var json: JSONObject {
    [
      "target": .string(target), "release": .string(tag), "path": .string(path),
      "allocatedBytes": .integer(Int64(size)),
    ]
  }

  /// What is wrong with it, as the end of a sentence that begins with its path; nil if nothing is
  /// found.
  func problem() -> String? {
    let program =
      target == "img" ? "\(path)/qemu-img" : "\(path)/bin/qemu-system-\(target)"
    let wrong: String?
    do { wrong = try ProgramFile.problem(program) } catch {
      return
        "has no program that can be read: \((error as? any UserFacingError)?.message ?? program)"
    }
    if let wrong { return "is broken: \(program) \(wrong)" }
    let architecture = Architecture.allCases.first { $0.qemuTarget == target }
    guard let architecture else { return nil }
    for firmware in Firmware.allCases {
      let file = firmware.path(in: path)
      guard Files.exists(file), let wrong = firmware.problem(file, for: architecture) else {
        continue
      }
      return "is broken: \(file) \(wrong)"
    }
    return nil
  }
}

// MARK: - The digests of its files, recorded when they were unpacked

extension QEMUBuild {
  private static func record(in folder: String) -> String { "\(folder)/digests.json" }

  /// Records the digests of all files. If no program can compute them, nothing is recorded; only
  /// `verify` needs them.
  ///
  /// - Throws: ``FileError``; `CancellationError`.
  static func recordDigests(in folder: String, on loop: EventLoop) async throws {
    let files = files(in: folder)
    let paths = files.map { "\(folder)/\($0)" }
    guard let digests = try await FileDigest.sha256(ofAll: paths, on: loop) else { return }
    var entries = JSONObject()
    for (file, digest) in zip(files, digests) { entries[file] = .string(digest) }
    try JSONFile.write(
      ["schema": 1, "sha256": .object(entries)], to: record(in: folder))
  }

  /// The result of comparing the files with the unpacked ones.
  enum Comparison: Hashable {
    case same
    /// The first file that is missing or differs, by its path in the folder.
    case changed(String)
    /// No digests were recorded, or none can be computed here.
    case unknown
  }

  /// Compares all files with the recorded digests.
  ///
  /// - Throws: `CancellationError`.
  func comparison(on loop: EventLoop) async throws -> Comparison {
    guard let known = try? JSONFile.read(Self.record(in: path))?["sha256"]?.object else {
      return .unknown
    }
    let files = known.members.map(\.name)
    let paths = files.map { "\(path)/\($0)" }
    for (file, place) in zip(files, paths) where Files.information(place)?.kind != .file {
      return .changed(file)
    }
    guard let digests = try await FileDigest.sha256(ofAll: paths, on: loop) else {
      return .unknown
    }
    let other = zip(files, digests).first { known[$0.0]?.string != $0.1 }?.0
    return other.map { .changed($0) } ?? .same
  }

  /// The paths of the files below a folder, sorted, without links.
  private static func files(in folder: String, below prefix: String = "") -> [String] {
    Files.list("\(folder)/\(prefix)").flatMap { name -> [String] in
      let file = prefix.isEmpty ? name : "\(prefix)/\(name)"
      switch Files.information("\(folder)/\(file)")?.kind {
      case .folder: return files(in: folder, below: file)
      case .file: return [file]
      default: return []
      }
    }
  }
}
