/// An archive that qvm must not use.
package enum ArchiveError: UserFacingError, Hashable {
  case tarMissing
  case notTar(name: String, found: String)
  /// It should be a zstd archive.
  case notBundle(name: String, found: String)
  /// `why` is tar's own words.
  case cannotUnpack(name: String, why: String)
  /// Something in it is no file, no folder, and no link that stays inside.
  case unsafeMember(name: String, member: String)
  /// It has more than `limit`, a number with what it counts.
  case tooMuch(name: String, limit: String)
  /// What stands at a byte of it isn't to be relied on.
  case unclear(name: String, offset: Int)
  case missingMember(name: String, member: String)
  /// A member is not what it should be: `why` says what is wrong with it.
  case badMember(name: String, member: String, why: String)

  package var message: String {
    switch self {
    case .tarMissing: "tar is not installed"
    case .notTar(let name, let found): "\(name) is not a tar archive but \(found)"
    case .notBundle(let name, let found): "\(name) is not a zstd archive but \(found)"
    case .cannotUnpack(let name, let why): "cannot unpack \(name): \(why)"
    case .unsafeMember(let name, let member):
      "\(name) holds \(member), which is neither a file nor a folder nor a link inside it"
    case .tooMuch(let name, let limit): "\(name) holds more than \(limit)"
    case .unclear(let name, let offset):
      "\(name) is damaged at byte \(offset), or of a kind of tar archive that qvm doesn't read"
    case .missingMember(let name, let member): "\(name) lacks \(member)"
    case .badMember(let name, let member, let why): "\(member) in \(name) \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .tarMissing: PackageManager.advice(for: .tar)
    case .notTar, .notBundle: "Check QVM_BASE_URL, and whether a network log-in page is in the way."
    default: "Set QVM_QEMU=system to use the QEMU of this system."
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
