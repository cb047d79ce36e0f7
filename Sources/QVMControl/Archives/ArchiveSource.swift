internal import QMPClient

/// What a path leads to that is added to an archive.
enum ArchiveSource {
  case folder(FolderHandle)
  case entry([UInt8], FolderHandle.Entry.Kind, in: FolderHandle)

  /// - Parameters:
  ///   - path: A path on this host.
  ///   - followsLink: Whether a link stands for what it leads to.
  /// - Throws: ``FileError`` if it isn't there or can't be opened.
  init(_ path: String, followsLink: Bool) throws(FileError) {
    let last = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    let isPlain = !["", ".", ".."].contains(last)
    do throws(SystemError) {
      guard let path = followsLink || !isPlain ? Files.resolved(path) : path else {
        throw .nothingThere
      }
      let parent = path == "/" ? nil : try FolderHandle(path: Files.parent(of: path))
      let name = Array(path.utf8.reversed().prefix { $0 != UInt8(ascii: "/") }.reversed())
      guard let parent else {
        self = .folder(try FolderHandle(path: path))
        return
      }
      guard let found = try parent.information(name) else { throw .nothingThere }
      self =
        found.kind == .folder
        ? .folder(try parent.folder(name)) : .entry(name, found.kind, in: parent)
    } catch { throw FileError(verb: "read", path: path, cause: error) }
  }
}
