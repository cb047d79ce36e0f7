/// An archive that qvm must not use.
package enum ArchiveError: UserFacingError, Hashable {
  case tarMissing
  case notTar(name: String, found: String)
  /// It should be a zstd archive.
  case notBundle(name: String, found: String)
  /// `why` is tar's own message.
  case cannotUnpack(name: String, why: String)
  /// A member is not a file, a folder or a link that stays inside the archive.
  case unsafeMember(name: String, member: String)
  /// It contains more than `limit`, which is a number with its unit.
  case tooMuch(name: String, limit: String)
  /// The header at a byte of it cannot be trusted.
  case unclear(name: String, offset: Int)
  case missingMember(name: String, member: String)
  /// A member is not the file that it should be; `why` is the end of the sentence.
  case badMember(name: String, member: String, why: String)

  package var message: String {
    switch self {
    case .tarMissing: "tar is not installed"
    case .notTar(let name, let found): "\(name) is not a tar archive but \(found)"
    case .notBundle(let name, let found): "\(name) is not a zstd archive but \(found)"
    case .cannotUnpack(let name, let why): "cannot unpack \(name): \(why)"
    case .unsafeMember(let name, let member):
      "\(name) contains \(member), which is neither a file, a folder nor a link inside the archive"
    case .tooMuch(let name, let limit): "\(name) contains more than \(limit)"
    case .unclear(let name, let offset):
      "\(name) is damaged at byte \(offset), or is a kind of tar archive that qvm cannot read"
    case .missingMember(let name, let member): "\(name) does not contain \(member)"
    case .badMember(let name, let member, let why): "\(member) in \(name) \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .tarMissing: PackageManager.advice(for: .tar)
    case .notTar, .notBundle:
      "Check QVM_BASE_URL, and whether this network shows a login page first."
    default: "Set QVM_QEMU=system to use this system's QEMU."
    }
  }

  init(_ problem: TarListing.Problem, name: String) {
    self =
      switch problem {
      case .unsafe(let member): .unsafeMember(name: name, member: member)
      case .tooManyEntries(let limit): .tooMuch(name: name, limit: "\(limit) files and folders")
      case .tooLarge(let limit): .tooMuch(name: name, limit: ByteCount.text(limit))
      case .unclear(let offset): .unclear(name: name, offset: offset)
      }
  }
}
