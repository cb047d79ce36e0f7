internal import QMPClient

/// The digests of a build's files, recorded when they were unpacked.
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
