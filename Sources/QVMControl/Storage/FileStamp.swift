internal import QMPClient

/// What tells at a glance that a file is still the one whose bytes were checked.
///
/// Whoever writes to a file changes its time, and whoever puts another in its place its inode. A
/// copy of the whole cache has other inodes too: a different stamp is a reason to look at the
/// bytes, not a fault.
package struct FileStamp: Sendable, Hashable {
  /// In bytes.
  package let size: Int
  /// When it was last written to, in nanoseconds since 1970.
  package let modified: Int
  package let inode: UInt64

  init(_ file: Files.Information) {
    size = file.size
    modified = file.modifiedExactly
    inode = file.inode
  }

  /// Reads it from an image's record; nil where that was written before there were stamps.
  init?(_ record: JSONValue) {
    guard let size = record["bytes"]?.int, let modified = record["modified"]?.int,
      let inode = record["inode"]?.int
    else { return nil }
    self.size = size
    self.modified = modified
    self.inode = UInt64(truncatingIfNeeded: inode)
  }

  /// For an image's record, beside its size.
  var members: JSONObject {
    [
      "modified": .integer(Int64(modified)),
      "inode": .integer(Int64(truncatingIfNeeded: inode)),
    ]
  }
}
