#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A pattern of a shell: `*`, `?`, `[a-z]`.
package struct FilePattern: Sendable, Hashable {
  /// As it was given.
  package let text: String
  private let bytes: [UInt8]
  private let isForFolders: Bool
  private let isForWholePaths: Bool

  /// - Parameter text: Without a slash, or with one at the end alone, it fits a name in any folder;
  ///   otherwise a whole path, in which `*` doesn't stand for a slash. A slash at the beginning is
  ///   the top. With a slash at the end it fits folders alone.
  package init(_ text: String) {
    self.text = text
    var bytes = Array(text.utf8)[...]
    let slash = UInt8(ascii: "/")
    isForFolders = bytes.last == slash
    while bytes.count > 1, bytes.last == slash { bytes.removeLast() }
    isForWholePaths = bytes.contains(slash)
    if bytes.first == slash { bytes.removeFirst() }
    self.bytes = Array(bytes).filter { $0 != 0 }
  }

  /// Whether it fits an entry.
  ///
  /// - Parameters:
  ///   - path: Its path from the top, without a slash at either end.
  ///   - name: The last name in it.
  ///   - isFolder: Whether the entry is a folder.
  /// - Returns: Whether it is to be left out, or whatever the pattern is for.
  func fits(_ path: [UInt8], name: [UInt8], isFolder: Bool) -> Bool {
    if isForFolders, !isFolder { return false }
    let subject = isForWholePaths ? path : name
    return FolderHandle.withCString(bytes) { pattern in
      FolderHandle.withCString(subject) {
        fnmatch(pattern, $0, isForWholePaths ? FNM_PATHNAME : 0) == 0
      }
    }
  }
}
