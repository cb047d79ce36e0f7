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

extension Files {
  /// The space that a file, or a folder with its contents, takes on the disk, in bytes.
  package static func allocated(below path: String) -> Int {
    guard let found = information(path) else { return 0 }
    guard found.kind == .folder else { return found.allocated }
    return list(path).reduce(found.allocated) { $0 + allocated(below: "\(path)/\($1)") }
  }
}
