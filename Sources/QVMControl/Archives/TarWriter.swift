package import QMPClient

/// Writes files and folders of this host into a tar archive that every system's tar reads truly: GNU
/// long names, sizes in octal, whole seconds, no holes, owner 0.
///
/// ```swift
/// var writer = TarWriter(to: pipe, stop: stop)
/// try writer.add("/home/me/project", as: Array("project".utf8))
/// let summary = try writer.finish()
/// ```
///
/// It reads by steps that follow no link, so that a folder that is replaced by a link meanwhile
/// doesn't lead out. What can't be read as it was is a remark of the summary; the rest goes on.
/// Its calls block: make them on a thread of their own. A raised ``StopSign`` ends them with a
/// `CancellationError`.
package struct TarWriter: ~Copyable {
  package struct Options: Sendable {
    package var selection = PathSelection.everything
    /// Entries that are left out, folders with all that is in them.
    package var excluded: [FilePattern] = []
    /// Whether a link as the path that is added stands for what it leads to.
    package var followsTopLink = false
    /// The owner of all members.
    package var owner = 0
    package var group = 0

    package init() {}
  }

  /// What is in the archive so far.
  package struct Summary: Sendable {
    package fileprivate(set) var files = 0
    package fileprivate(set) var folders = 0
    /// Symbolic links.
    package fileprivate(set) var links = 0
    /// Further names of files that are in the archive.
    package fileprivate(set) var hardLinks = 0
    /// The contents of the files, without headers.
    package fileprivate(set) var bytes = 0
    /// Folders that take nothing, and their modes. In the archive they do: some readers set the mode of
    /// a folder before they write into it.
    package fileprivate(set) var closed: [(name: [UInt8], mode: UInt32)] = []
    package fileprivate(set) var remarks: [ArchiveRemark] = []
  }

  /// A file with more bytes in holes than this gets a remark.
  static let largeHoles = 64 << 20

  package private(set) var summary = Summary()
  private var output: TarOutput
  private let progress: ((Summary) -> Void)?
  private var names: [Identity: [UInt8]] = [:]

  private struct Identity: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  /// - Parameters:
  ///   - output: Where the archive goes: a pipe, a socket or a file. See ``ByteStream``.
  ///   - stop: Ends the waits for the reader.
  ///   - progress: Called after each write of some hundred kilobytes, on the same thread.
  package init(
    to output: Descriptor, stop: StopSign, progress: ((Summary) -> Void)? = nil
  ) {
    self.output = TarOutput(ByteStream(output, stop: stop))
    self.progress = progress
  }

  /// Adds a file or a folder with what is in it.
  ///
  /// - Parameters:
  ///   - path: Its path on this host.
  ///   - name: Its path in the archive. If it is empty, what is in the folder becomes the top.
  ///   - options: What is taken, and who owns it.
  /// - Throws: ``FileError`` if it isn't there or can't be opened, `SystemError` if the output fails,
  ///   `CancellationError`.
  package mutating func add(
    _ path: String, as name: [UInt8], options: Options = Options()
  ) throws {
    let source = try ArchiveSource(path, followsLink: options.followsTopLink)
    var name = name[...]
    while name.last == UInt8(ascii: "/") { name.removeLast() }
    switch source {
    case .folder(let folder):
      try add(folder, try folder.information(), Array(name), [], options.selection.top, options)
    case .entry(let entry, let kind, let folder):
      try add(entry, kind, in: folder, Array(name), options)
    }
  }

  /// Ends the archive.
  ///
  /// - Parameter mark: A small file that becomes its last member. Its reader then knows that nothing is
  ///   missing; some take the end of the input for the end of the archive.
  /// - Returns: What is in the archive, without the mark.
  /// - Throws: `SystemError` if the output fails, `CancellationError`.
  package mutating func finish(
    mark: (name: [UInt8], contents: [UInt8])? = nil
  ) throws -> Summary {
    if let mark {
      let size = mark.contents.count
      try addHeader(
        mark.name, .emptyFile, TarFormat.MemberType.file, size: size, options: Options())
      try output.add(mark.contents)
      try output.addZeros(TarFormat.padding(size))
    }
    // Two empty blocks end it. GNU tar fills up to 20 blocks, which others then needn't do.
    try output.addZeros(2 * TarFormat.block)
    try output.flush()
    progress?(summary)
    return summary
  }

  // MARK: - Walking

  private mutating func remark(_ name: [UInt8], _ problem: ArchiveRemark.Problem) {
    summary.remarks.append(ArchiveRemark(name, problem))
  }

  /// Remembers that an entry couldn't be opened.
  private mutating func remarkFailure(_ name: [UInt8], _ error: SystemError) {
    remark(name, error.isAbsent ? .vanished : .failed(error))
  }

  /// Adds a folder and what is taken of it.
  private mutating func add(
    _ folder: FolderHandle, _ found: FolderHandle.Entry, _ name: [UInt8], _ path: [UInt8],
    _ part: PathSelection.Part, _ options: Options
  ) throws {
    let slash = UInt8(ascii: "/")
    var open = found
    open.mode |= 0o300
    if !name.isEmpty {
      try addHeader(name + [slash], open, TarFormat.MemberType.folder, options: options)
      summary.folders += 1
      if open.mode != found.mode { summary.closed.append((name, found.mode)) }
    }
    let entries: [(name: [UInt8], kind: FolderHandle.Entry.Kind?, part: PathSelection.Part)]
    switch part {
    case .whole:
      do { entries = try folder.contents().map { ($0.name, $0.kind, .whole) } } catch {
        return remarkFailure(name, error)
      }
    case .some(let parts):
      entries = parts.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        .map { ($0.key, nil, $0.value) }
    }
    for entry in entries {
      let member = name.isEmpty ? entry.name : name + [slash] + entry.name
      let entryPath = path.isEmpty ? entry.name : path + [slash] + entry.name
      let kind: FolderHandle.Entry.Kind?
      do throws(SystemError) {
        kind = if let known = entry.kind { known } else { try folder.information(entry.name)?.kind }
      } catch {
        remarkFailure(member, error)
        continue
      }
      guard let kind else {
        remark(member, .vanished)
        continue
      }
      let isExcluded = options.excluded.contains {
        $0.fits(entryPath, name: entry.name, isFolder: kind == .folder)
      }
      if isExcluded { continue }
      guard kind == .folder else {
        try add(entry.name, kind, in: folder, member, options)
        continue
      }
      let inner: (folder: FolderHandle, found: FolderHandle.Entry)
      do throws(SystemError) {
        let opened = try folder.folder(entry.name)
        inner = (opened, try opened.information())
      } catch {
        remarkFailure(member, error)
        continue
      }
      try add(inner.folder, inner.found, member, entryPath, entry.part, options)
    }
  }

  /// Adds what isn't a folder.
  private mutating func add(
    _ entry: [UInt8], _ kind: FolderHandle.Entry.Kind, in folder: FolderHandle, _ name: [UInt8],
    _ options: Options
  ) throws {
    switch kind {
    case .file:
      let opened: (Descriptor, FolderHandle.Entry)
      do throws(SystemError) {
        let file = try folder.file(entry)
        opened = (file, try FolderHandle.information(file))
      } catch { return remarkFailure(name, error) }
      guard opened.1.kind == .file else { return remark(name, .changed) }
      try addFile(opened.0, opened.1, name, options)
    case .link:
      let read: (target: [UInt8], found: FolderHandle.Entry?)
      do throws(SystemError) {
        read = (try folder.linkTarget(entry), try folder.information(entry))
      } catch { return remarkFailure(name, error) }
      guard let found = read.found, !read.target.isEmpty else { return remark(name, .vanished) }
      try addHeader(name, found, TarFormat.MemberType.link, target: read.target, options: options)
      summary.links += 1
    case .socket, .fifo, .device, .folder: remark(name, .special)
    }
  }

  // MARK: - Files

  private mutating func addFile(
    _ file: Descriptor, _ found: FolderHandle.Entry, _ name: [UInt8], _ options: Options
  ) throws {
    let identity = Identity(device: found.device, inode: found.inode)
    if found.names > 1, let first = names[identity] {
      try addHeader(name, found, TarFormat.MemberType.hardLink, target: first, options: options)
      summary.hardLinks += 1
      return
    }
    guard found.size < TarFormat.sizeLimit else { return remark(name, .tooBig) }
    // A small file is read at once.
    if output.room < min(found.size + TarFormat.block, 1 << 16) { try flush() }
    try addHeader(name, found, TarFormat.MemberType.file, size: found.size, options: options)
    try copy(file, found, name)
    try output.addZeros(TarFormat.padding(found.size))
    summary.files += 1
    if found.names > 1 { names[identity] = name }
  }

  /// Copies as many bytes of a file as its header says.
  private mutating func copy(
    _ file: Descriptor, _ found: FolderHandle.Entry, _ name: [UInt8]
  ) throws {
    var missing = found.size
    var failure: SystemError?
    while missing > 0 {
      if output.room == 0 { try flush() }
      let count = output.add(upTo: missing) { ByteStream.readOnce(file, into: $0) }
      if count < 0 { failure = .last("read") }
      if count <= 0 { break }
      missing -= count
      summary.bytes += count
    }
    if missing > 0 {
      remark(name, failure.map { .unread($0, missing: missing) } ?? .shrunk(missing: missing))
      return try output.addZeros(missing)
    }
    if let now = try? FolderHandle.information(file) {
      if now.size > found.size {
        remark(name, .grown)
      } else if now.size < found.size || now.modified != found.modified {
        remark(name, .changed)
      }
    }
    let holes = found.size - found.allocated
    if holes > Self.largeHoles, FolderHandle.hasHoles(file, size: found.size) {
      remark(name, .holes(holes))
    }
  }

  private mutating func flush() throws {
    try output.flush()
    progress?(summary)
  }

  // MARK: - Headers

  private mutating func addHeader(
    _ name: [UInt8], _ found: FolderHandle.Entry, _ type: UInt8, size: Int = 0,
    target: [UInt8] = [], options: Options
  ) throws {
    try addLong(target, TarFormat.MemberType.longTarget)
    try addLong(name, TarFormat.MemberType.longName)
    if output.room < TarFormat.block { try flush() }
    let (owner, group) = (options.owner, options.group)
    output.addHeader { header in
      TarHeader.fill(header, name, type, size: size, owner: owner, group: group)
      TarFormat.setOctal(Int(found.mode), TarFormat.Field.mode.dropLast(), of: header)
      let time = min(max(0, found.modified.seconds), TarFormat.lastTime)
      TarFormat.setOctal(time, TarFormat.Field.modified.dropLast(), of: header)
      let short = target.prefix(TarFormat.shortName)
      UnsafeMutableRawBufferPointer(rebasing: header[TarFormat.Field.link]).copyBytes(from: short)
    }
  }

  /// Adds a name that the header can't hold.
  private mutating func addLong(_ name: [UInt8], _ type: UInt8) throws {
    if name.count <= TarFormat.shortName { return }
    if output.room < TarFormat.block { try flush() }
    output.addHeader {
      TarHeader.fill($0, TarFormat.longLink, type, size: name.count + 1, owner: 0, group: 0)
      TarFormat.setOctal(0, TarFormat.Field.mode.dropLast(), of: $0)
      TarFormat.setOctal(0, TarFormat.Field.modified.dropLast(), of: $0)
    }
    try output.add(name)
    try output.addZeros(1 + TarFormat.padding(name.count + 1))
  }
}
