package import QMPClient

/// A file or a folder of this host that is copied into a guest.
package struct HostSource: Sendable {
  /// As it was given.
  package let path: String
  package let isFolder: Bool
  /// Whether what is in the folder is copied instead of the folder.
  package let isContents: Bool
  /// The name of the copy in a folder; empty if ``isContents``.
  package let name: String
  var options: TarWriter.Options
  /// What the user should know of the selection.
  package internal(set) var notes: [String] = []

  /// Looks at a path as `cp -R` does: `.`, `..` and `folder/.` mean what is in the folder, a slash at
  /// the end follows a link.
  ///
  /// - Parameters:
  ///   - path: On this host.
  ///   - excluded: What is left out.
  ///   - newName: The name of the copy; nil for its own.
  /// - Throws: ``CopyError/missingOnHost(_:)``, ``FileError``.
  package init(_ path: String, excluding excluded: [FilePattern] = [], named newName: String? = nil)
    throws
  {
    self.path = path
    let absolute = Files.absolute(path)
    let last = path.split(separator: "/").last
    let follows = path.hasSuffix("/") || [nil, ".", ".."].contains(last)
    let found = follows ? Files.destination(absolute) : Files.information(absolute)
    guard let found else { throw CopyError.missingOnHost(path) }
    isFolder = found.kind == .folder
    if path.hasSuffix("/"), !isFolder { throw CopyError.hostNotFolder(path) }
    isContents = [nil, ".", ".."].contains(last)
    name = newName ?? (isContents ? "" : String(last ?? ""))
    options = TarWriter.Options()
    options.excluded = excluded
    options.followsTopLink = follows
  }

  /// The path without what is added to it for its meaning.
  var shownPath: String {
    var shown = path
    while shown.count > 1, shown.hasSuffix("/") { shown.removeLast() }
    if isContents, shown.count > 2, shown.hasSuffix("/.") { shown.removeLast(2) }
    return shown
  }

  /// Takes of a folder under git what git would take.
  package mutating func selectByGit(on loop: EventLoop) async throws {
    guard isFolder else { return }
    let choice = try await GitSelection.find(in: Files.absolute(path), on: loop)
    if let selection = choice.selection { options.selection = selection }
    if let note = choice.note { notes.append("\(shownPath): \(note)") }
  }
}
