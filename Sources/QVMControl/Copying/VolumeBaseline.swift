/// The files of a volume on this host as they were before they were copied into the guest.
struct VolumeBaseline: Sendable {
  /// What shows at a glance whether a file has changed.
  struct Stamp: Sendable, Hashable {
    let size: Int
    let modified: FileTime
    let inode: UInt64

    init(_ entry: FolderHandle.Entry) {
      size = entry.size
      modified = entry.modified
      inode = entry.inode
    }
  }

  /// By the path below the folder; a single file has the empty path.
  private(set) var files: [[UInt8]: Stamp] = [:]

  /// Blocks while it walks.
  init(of volume: Volume, _ options: TarWriter.Options) throws {
    if volume.isFolder {
      try add(try FolderHandle(path: volume.path), [], options.selection.top, options.excluded)
    } else {
      let parent = try FolderHandle(path: Files.parent(of: volume.path))
      let name = Array(Files.lastName(of: volume.path).utf8)
      if let found = try parent.information(name) { files[[]] = Stamp(found) }
    }
  }

  private mutating func add(
    _ folder: FolderHandle, _ path: [UInt8], _ part: PathSelection.Part, _ excluded: [FilePattern]
  ) throws {
    let entries: [(name: [UInt8], part: PathSelection.Part)]
    switch part {
    case .whole: entries = try folder.contents().map { ($0.name, .whole) }
    case .some(let parts): entries = parts.map { ($0.key, $0.value) }
    }
    for entry in entries {
      guard let found = try folder.information(entry.name) else { continue }
      let inner = path.isEmpty ? entry.name : path + [UInt8(ascii: "/")] + entry.name
      let isFolder = found.kind == .folder
      if excluded.contains(where: { $0.fits(inner, name: entry.name, isFolder: isFolder) }) {
        continue
      }
      files[inner] = Stamp(found)
      // What can't be read isn't copied either.
      guard isFolder, let opened = try? folder.folder(entry.name) else { continue }
      try add(opened, inner, entry.part, excluded)
    }
  }
}
