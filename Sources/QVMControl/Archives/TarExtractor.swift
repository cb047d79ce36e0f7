internal import QMPClient

/// Unpacks a tar archive that comes from a guest, which isn't trusted, below a folder of this host.
///
/// ```swift
/// var reader = TarReader(from: pipe, stop: stop)
/// var extractor = try TarExtractor(into: "/home/me/results", options: .init())
/// let summary = try extractor.extract(&reader)
/// ```
///
/// Nothing gets outside of the folder: no absolute names, no `..`, nothing through a link, no
/// devices. A member that is refused, or fails, is a remark of the summary; the rest goes on. A file
/// gets its name when it is whole, and replaces an older one at once. Links may lead anywhere, since
/// they are never followed here.
package struct TarExtractor: ~Copyable {
  package struct Options: Sendable {
    /// Whether setuid, setgid and sticky are kept.
    package var keepsSpecialBits = false
    /// Whether the times of the members are kept, instead of becoming the present.
    package var keepsTimes = true
    /// Whether a member for the top itself (`./`) sets the mode and the time of the folder.
    package var changesTop = false
    /// Gives a member another path, relative to the folder; nil leaves it out. The targets of hard
    /// links go through it, too. The result is checked as a name of the archive would be.
    package var rename: @Sendable ([UInt8]) -> [UInt8]? = { $0 }

    package init() {}
  }

  /// What was unpacked so far.
  package struct Summary: Sendable {
    package internal(set) var files = 0
    package internal(set) var folders = 0
    /// Symbolic links.
    package internal(set) var links = 0
    package internal(set) var hardLinks = 0
    /// The contents of the files.
    package internal(set) var bytes = 0
    package internal(set) var remarks: [ArchiveRemark] = []
  }

  package internal(set) var summary = Summary()
  let path: String
  let top: FolderHandle
  let options: Options
  private let progress: ((Summary) -> Void)?
  /// The folder of the last member, since the next one is often in it.
  private var last: (path: [[UInt8]], folder: FolderHandle)?
  /// The mode and the time of folders, set at the end: what is put into one changes its time, and may
  /// need a permission that it doesn't give.
  private var folders: [[[UInt8]]: TarMember] = [:]
  /// The names of files that are being written. No member can be called so: it is random.
  private let prefix = Array(".qvm-\(Randomness.hexadecimal(bytes: 8))-".utf8)
  private var counter = 0

  /// - Parameters:
  ///   - path: An existing folder. Links in this path are followed.
  ///   - options: What is kept, and under which names.
  ///   - progress: Called after each member and each part of a large one, on the same thread.
  /// - Throws: ``FileError``.
  package init(
    into path: String, options: Options = Options(), progress: ((Summary) -> Void)? = nil
  ) throws(FileError) {
    do throws(SystemError) { top = try FolderHandle(path: path) } catch {
      throw FileError(verb: "open", path: path, cause: error)
    }
    self.path = path
    self.options = options
    self.progress = progress
  }

  /// Unpacks all members up to the end of the input.
  ///
  /// - Throws: ``TarError`` if the archive can't be read on, or if the disk is full; `SystemError`,
  ///   `CancellationError`. What was unpacked up to then stays and is in ``summary``. No part of a
  ///   file stays.
  @discardableResult
  package mutating func extract(_ reader: inout TarReader) throws -> Summary {
    do {
      while let member = try reader.next() {
        do { try extract(member, &reader) } catch let problem as Refusal {
          summary.remarks.append(ArchiveRemark(member.name, problem.problem))
        }
        progress?(summary)
      }
    } catch {
      finishFolders()
      throw error
    }
    finishFolders()
    return summary
  }

  /// A member that isn't unpacked.
  struct Refusal: Error {
    let problem: ArchiveRemark.Problem

    init(_ problem: ArchiveRemark.Problem) { self.problem = problem }
  }

  private mutating func extract(_ member: TarMember, _ reader: inout TarReader) throws {
    if case .other(let type) = member.kind { throw Refusal(.unsupported(type: type)) }
    guard let name = options.rename(member.name) else { return }
    let parts = try Self.parts(of: name)
    guard let entry = parts.last else {
      // The top itself. It is there already.
      guard member.kind == .folder else { throw Refusal(.outside) }
      if options.changesTop { folders[[]] = member }
      return
    }
    let parent = try folder(parts.dropLast(), of: member, isMade: true)
    let found = try attempt(member) { () throws(SystemError) in try parent.information(entry) }
    if let found, (found.kind == .folder) != (member.kind == .folder) { throw Refusal(.occupied) }
    switch member.kind {
    case .folder:
      if found == nil {
        try attempt(member) { () throws(SystemError) in
          try parent.makeFolder(entry, isShared: false)
        }
      }
      folders[parts] = member
      summary.folders += 1
    case .file: try extractFile(entry, in: parent, member, &reader)
    case .link(let target):
      guard target.count <= TarFormat.longestName else { throw Refusal(.nameTooLong) }
      let time = options.keepsTimes ? member.modified : nil
      try place(entry, in: parent, member) { (temporary) throws(SystemError) in
        try parent.makeLink(temporary, to: target)
        if let time { try parent.setTime(time, of: temporary) }
      }
      summary.links += 1
    case .hardLink(let target):
      let old = try hardLinkTarget(target, member)
      try place(entry, in: parent, member) { (temporary) throws(SystemError) in
        try parent.makeHardLink(temporary, to: old.name, in: old.folder)
      }
      summary.hardLinks += 1
    case .other: break
    }
  }

  // MARK: - Names

  /// The names of a path, without those that mean nothing.
  private static func parts(of path: [UInt8]) throws(Refusal) -> [[UInt8]] {
    guard path.count <= TarFormat.longestName else { throw Refusal(.nameTooLong) }
    let slash = UInt8(ascii: "/")
    guard !path.isEmpty, path.first != slash, !path.contains(0) else { throw Refusal(.outside) }
    let parts = path.split(separator: slash).map(Array.init).filter { $0 != [0x2E] }
    guard !parts.contains([0x2E, 0x2E]) else { throw Refusal(.outside) }
    return parts
  }

  /// Opens a folder step by step, without following a link.
  private mutating func folder(
    _ parts: ArraySlice<[UInt8]>, of member: TarMember, isMade: Bool
  ) throws -> FolderHandle {
    if let last, last.path == Array(parts) { return last.folder }
    var folder = top
    for part in parts {
      let outer = folder
      folder = try attempt(member) { () throws(SystemError) in
        do throws(SystemError) { return try outer.folder(part) } catch {
          guard isMade, error.isAbsent else { throw error }
          try outer.makeFolder(part, isShared: true)
          return try outer.folder(part)
        }
      }
    }
    last = (Array(parts), folder)
    return folder
  }

  /// Where the file is that a hard link names.
  private mutating func hardLinkTarget(
    _ target: [UInt8], _ member: TarMember
  ) throws -> (folder: FolderHandle, name: [UInt8]) {
    guard let renamed = options.rename(target),
      let parts = try? Self.parts(of: renamed), let name = parts.last,
      let folder = try? folder(parts.dropLast(), of: member, isMade: false),
      let found = try? folder.information(name), found.kind == .file
    else { throw Refusal(.badHardLink) }
    return (folder, name)
  }

  // MARK: - Files

  private mutating func extractFile(
    _ entry: [UInt8], in parent: FolderHandle, _ member: TarMember, _ reader: inout TarReader
  ) throws {
    let temporary = temporaryName()
    let file = try attempt(member) { () throws(SystemError) in try parent.makeFile(temporary) }
    var isPlaced = false
    defer { if !isPlaced { try? parent.remove(temporary) } }
    var end = 0
    try reader.readContents { offset, bytes in
      try attempt(member) { () throws(SystemError) in
        try FolderHandle.write(bytes, at: offset, of: file)
      }
      end = max(end, offset + bytes.count)
      summary.bytes += bytes.count
      progress?(summary)
    }
    try attempt(member) { () throws(SystemError) in
      // A sparse file may end with a hole.
      if end < member.size { try FolderHandle.setSize(member.size, of: file) }
      try FolderHandle.set(
        mode: mode(member), time: options.keepsTimes ? member.modified : nil, of: file)
      try parent.rename(temporary, to: entry)
    }
    isPlaced = true
    summary.files += 1
  }

  /// Makes an entry under a temporary name, and gives it its own.
  private mutating func place(
    _ entry: [UInt8], in parent: FolderHandle, _ member: TarMember,
    _ make: ([UInt8]) throws(SystemError) -> Void
  ) throws {
    let temporary = temporaryName()
    // Also after success: renaming a file to another name of it leaves both.
    defer { try? parent.remove(temporary) }
    try attempt(member) { () throws(SystemError) in
      try make(temporary)
      try parent.rename(temporary, to: entry)
    }
  }

  private mutating func temporaryName() -> [UInt8] {
    counter += 1
    return prefix + Array(String(counter).utf8)
  }

  private func mode(_ member: TarMember) -> UInt32 {
    member.mode & (options.keepsSpecialBits ? 0o7777 : 0o777)
  }

  /// Sets the modes and times of the folders, the inner ones first.
  private mutating func finishFolders() {
    let all = folders.sorted { $0.key.count > $1.key.count }
    folders = [:]
    for (parts, member) in all {
      do {
        let folder = try folder(parts[...], of: member, isMade: false)
        try attempt(member) { () throws(SystemError) in
          try FolderHandle.set(
            mode: mode(member), time: options.keepsTimes ? member.modified : nil,
            of: folder.descriptor)
        }
      } catch {
        let problem = (error as? Refusal)?.problem ?? .failed(.nothingThere)
        summary.remarks.append(ArchiveRemark(member.name, problem))
      }
    }
  }

  // MARK: - Failures

  /// Makes system calls for a member. Their failure is a ``Refusal``, or the end if the disk is full.
  private func attempt<Result>(
    _ member: TarMember, _ body: () throws(SystemError) -> Result
  ) throws -> Result {
    do { return try body() } catch {
      if error.isFull {
        var name = ForeignText.line(String(decoding: member.name, as: UTF8.self))
        while name.hasPrefix("./") { name.removeFirst(2) }
        throw TarError.diskFull(file: "\(path)/\(name)", disk: Self.mountPoint(of: path))
      }
      throw Refusal(error.isNoFolder ? .throughLink : .failed(error))
    }
  }

  /// Where the disk of a folder is mounted; nil if unknown.
  private static func mountPoint(of folder: String) -> String? {
    guard var path = Files.resolved(folder), let device = Files.information(path)?.device else {
      return nil
    }
    while path != "/" {
      let parent = Files.parent(of: path)
      guard Files.information(parent)?.device == device else { break }
      path = parent
    }
    return path
  }
}
