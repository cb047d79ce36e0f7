internal import QMPClient

/// Size, time and inode of a file, which show at a glance that it is still the file that was
/// checked.
///
/// Writing to a file changes its time, and replacing it changes its inode. A copy of the whole
/// cache has other inodes too. So a different stamp is not an error, but a reason to check the
/// bytes.
package struct FileStamp: Sendable, Hashable {
  /// In bytes.
  package let size: Int
  /// The time of the last write, in nanoseconds since 1970.
  package let modified: Int
  package let inode: UInt64

  init(_ file: Files.Information) {
    size = file.size
    modified = file.modifiedExactly
    inode = file.inode
  }

  /// Reads the stamp from an image's record; nil if the record is from a qvm without stamps.
  init?(_ record: JSONValue) {
    guard let size = record["bytes"]?.int, let modified = record["modified"]?.int,
      let inode = record["inode"]?.int
    else { return nil }
    self.size = size
    self.modified = modified
    self.inode = UInt64(truncatingIfNeeded: inode)
  }

  /// The members for an image's record. The record has the size already.
  var members: JSONObject {
    [
      "modified": .integer(Int64(modified)),
      "inode": .integer(Int64(truncatingIfNeeded: inode)),
    ]
  }
}
