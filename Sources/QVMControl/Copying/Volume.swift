/// A file or folder of this host that is copied into a guest before a command, and perhaps back after it.
package struct Volume: Sendable, Hashable {
  /// As it was given, without the place in the guest.
  package let given: String
  /// The path on this host, absolute and without links.
  package let path: String
  package let isFolder: Bool
  /// The place in the guest: that of the copy itself.
  package let guest: GuestPath
  /// Whether what the command changed is copied back.
  package let isWritable: Bool

  package enum Failure: UserFacingError, Hashable {
    case missing(String)
    case unfit(String)
    /// What the command changes couldn't be written.
    case readOnly(String)
    case ontoRoot(String)
    case leadsUp(String)
    case noName(String)
    case twice(GuestPath)

    package var message: String {
      switch self {
      case .missing(let path): "there is no '\(path)' on this host to be a volume"
      case .unfit(let path): "'\(path)' is neither a file nor a folder, so it cannot be a volume"
      case .readOnly(let path): "'\(path)' cannot be written here, so nothing could be copied back"
      case .ontoRoot(let text): "the volume '\(text)' would be the guest's whole system"
      case .leadsUp(let text): "the guest's path of the volume '\(text)' contains '..'"
      case .noName(let text): "the volume '\(text)' needs a place in the guest"
      case .twice(let path): "two volumes have the same place in the guest: '\(path.text)'"
      }
    }

    package var advice: String? {
      switch self {
      case .missing: "Check the path. It ends before the last colon: HOST[:GUEST][:rw]."
      case .unfit: "Name a file or a folder."
      case .readOnly: "Check its owner and permissions, or leave out ':rw'."
      case .ontoRoot: "Name a folder below it, such as ':/src'."
      case .leadsUp: "A path that is not absolute begins at the home of the guest's user."
      case .noName: "Name one: HOST:GUEST."
      case .twice: "Give each its own: HOST:GUEST."
      }
    }

    package var exitStatus: ExitStatus { .usage }
  }

  /// Reads `HOST[:GUEST][:rw]`. GUEST is absolute or begins at the home; without it the place is the
  /// host's last name in the home. A HOST that contains colons is taken as a whole if it exists.
  ///
  /// - Throws: ``Failure``.
  package init(_ text: String) throws(Failure) {
    var rest = text
    isWritable = rest.hasSuffix(":rw")
    if isWritable || rest.hasSuffix(":ro") { rest.removeLast(3) }
    var place: String?
    if !rest.isEmpty, Files.destination(Files.absolute(rest)) == nil,
      let colon = rest.lastIndex(of: ":")
    {
      place = String(rest[rest.index(after: colon)...])
      rest = String(rest[..<colon])
    }
    given = rest
    guard !rest.isEmpty, let real = Files.resolved(Files.absolute(rest)),
      let found = Files.information(real)
    else { throw .missing(rest) }
    guard [.file, .folder].contains(found.kind) else { throw .unfit(rest) }
    path = real
    isFolder = found.kind == .folder
    let folder = isFolder ? real : Files.parent(of: real)
    if isWritable, !Files.isWritable(folder) { throw .readOnly(rest) }
    let last = rest.split(separator: "/").last.map(String.init)
    let name =
      [nil, ".", ".."].contains(last) ? real.split(separator: "/").last.map(String.init) : last
    guard let wanted = place.flatMap({ $0.isEmpty ? nil : $0 }) ?? name else { throw .noName(text) }
    let given = GuestPath(wanted)
    if given.isRoot { throw .ontoRoot(text) }
    if given.leadsUp { throw .leadsUp(text) }
    guest = given.plain
    if !isFolder, guest.isContents { throw .noName(text) }
  }

  /// - Throws: ``Failure/twice(_:)``.
  package static func check(_ volumes: [Volume]) throws(Failure) {
    var places: Set<GuestPath> = []
    for volume in volumes where !places.insert(volume.guest).inserted { throw .twice(volume.guest) }
  }

  /// Where a folder of this host is in the guest; nil if it isn't in the volume.
  package func place(of folder: String) -> GuestPath? {
    pathBelow(folder).map { guest.appending($0) }
  }

  /// The path of a folder below this one; empty for itself, nil if it isn't in it.
  func pathBelow(_ folder: String) -> String? {
    guard isFolder, let real = Files.resolved(folder) else { return nil }
    if real == path { return "" }
    let top = path == "/" ? "/" : "\(path)/"
    return real.hasPrefix(top) ? String(real.dropFirst(top.count)) : nil
  }
}
