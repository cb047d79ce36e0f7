internal import Synchronization

/// Where on this host a copy from a guest goes.
package enum HostPlace: Sendable {
  /// Into a folder that exists.
  case into(String)
  /// It gets a name that isn't there, or that of a file, in a folder that exists. `isFolder` if it must
  /// be a folder.
  case new(String, isFolder: Bool, in: String)

  /// - Parameter target: As `cp -R` understands it.
  /// - Throws: ``CopyError/noHostFolder(_:)``.
  init(_ target: String) throws(CopyError) {
    let absolute = Files.absolute(target)
    if Files.destination(absolute)?.kind == .folder {
      self = .into(absolute)
      return
    }
    var path = absolute
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let parent = Files.parent(of: path)
    let isFolder = target.hasSuffix("/")
    if isFolder, Files.exists(path) { throw .hostNotFolder(target) }
    guard ![".", "..", ""].contains(name), Files.destination(parent)?.kind == .folder else {
      throw .noHostFolder(target.hasPrefix("/") ? parent : Files.parent(of: target))
    }
    self = .new(name, isFolder: isFolder, in: parent)
  }

  /// The existing folder.
  var folder: String {
    switch self {
    case .into(let folder), .new(_, _, let folder): folder
    }
  }

  /// The path of a member below ``folder``.
  ///
  /// - Parameters:
  ///   - member: Its path in the archive; empty for the top.
  ///   - isContents: Whether the archive has what is in the source instead of the source.
  /// - Returns: The path, relative to the folder.
  func path(of member: [UInt8], isContents: Bool) -> [UInt8] {
    let (dot, slash) = (UInt8(ascii: "."), UInt8(ascii: "/"))
    guard case .new(let name, _, _) = self else { return member.isEmpty ? [dot] : member }
    if isContents { return Array(name.utf8) + (member.isEmpty ? [] : [slash] + member) }
    return Array(name.utf8) + member.drop { $0 != slash }
  }
}

/// Counts what is left out, on the thread that unpacks.
final class Skipped: Sendable {
  private let number = Mutex(0)

  func count() { number.withLock { $0 += 1 } }

  var value: Int { number.withLock { $0 } }
}
