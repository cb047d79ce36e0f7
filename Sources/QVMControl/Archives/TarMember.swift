/// One member of an archive, as its headers say. Nothing of it can be trusted.
package struct TarMember: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    case file
    case folder
    case link(target: [UInt8])
    case hardLink(target: [UInt8])
    /// A device, a pipe, or something unknown. It may have contents.
    case other(type: UInt8)
  }

  package var name: [UInt8]
  package let kind: Kind
  /// The length of the file, in bytes; 0 unless it is one.
  package let size: Int
  /// The permissions with setuid, setgid and sticky.
  package let mode: UInt32
  package let modified: FileTime
  package let owner: Int
  package let group: Int
}
