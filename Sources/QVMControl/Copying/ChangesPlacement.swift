/// Puts what a guest has changed in a volume into its place on this host.
///
/// A file that was changed here too stays; the guest's is put beside it. No link is followed.
struct ChangesPlacement {
  let volume: Volume
  let baseline: VolumeBaseline
  private(set) var report = CopyReport()

  init(_ volume: Volume, _ baseline: VolumeBaseline) {
    self.volume = volume
    self.baseline = baseline
  }

  /// The end of the name of a file that is put beside another one.
  static let suffix = ".guest"

  /// Moves all files of a folder.
  ///
  /// - Parameters:
  ///   - staging: Where they were unpacked, on the same disk.
  ///   - target: The folder of the volume.
  /// - Throws: `SystemError`. What was moved up to then stays.
  mutating func place(_ staging: FolderHandle, into target: FolderHandle) throws {
    try place(staging, into: target, path: [])
  }

  /// Moves the file of a volume that is a file.
  mutating func placeFile(_ staging: FolderHandle, into target: FolderHandle) throws {
    let name = Array(volume.guest.lastName.utf8)
    guard try staging.information(name) != nil else { return }
    try place(name, of: staging, as: Array(Files.lastName(of: volume.path).utf8), into: target, [])
  }

  private mutating func place(
    _ staging: FolderHandle, into target: FolderHandle, path: [UInt8]
  ) throws {
    for entry in try staging.contents() {
      let inner = path.isEmpty ? entry.name : path + [UInt8(ascii: "/")] + entry.name
      guard try staging.information(entry.name)?.kind == .folder else {
        try place(entry.name, of: staging, as: entry.name, into: target, inner)
        continue
      }
      let found = try target.information(entry.name)
      if found == nil {
        try target.makeFolder(entry.name, isShared: true)
        try FolderHandle.set(
          mode: 0o777 & ~Host.usersUmask, time: nil, of: try target.folder(entry.name).descriptor)
        report.folders += 1
      } else if found?.kind != .folder {
        try putBeside(entry.name, of: staging, as: entry.name, in: target, inner)
        continue
      }
      try place(
        try staging.folder(entry.name), into: try target.folder(entry.name), path: inner)
    }
  }

  private mutating func place(
    _ name: [UInt8], of staging: FolderHandle, as newName: [UInt8], into target: FolderHandle,
    _ path: [UInt8]
  ) throws {
    let now = try target.information(newName)
    if let now, baseline.files[path] != VolumeBaseline.Stamp(now) {
      if now.kind != .folder,
        try FolderHandle.haveSameContents((staging, name), (target, newName))
      {
        return
      }
      return try putBeside(name, of: staging, as: newName, in: target, path)
    }
    if now?.kind == .folder {
      return try putBeside(name, of: staging, as: newName, in: target, path)
    }
    try staging.move(name, to: newName, in: target)
    report.files += 1
  }

  private mutating func putBeside(
    _ name: [UInt8], of staging: FolderHandle, as newName: [UInt8], in target: FolderHandle,
    _ path: [UInt8]
  ) throws {
    for number in 1...99 {
      let end = Self.suffix + (number == 1 ? "" : "-\(number)")
      let beside = newName + Array(end.utf8)
      if try target.information(beside) != nil {
        if try FolderHandle.haveSameContents((staging, name), (target, beside)) { return }
        continue
      }
      try staging.move(name, to: beside, in: target)
      let text =
        path.isEmpty
        ? volume.given
        : "\(volume.given)/\(ForeignText.line(String(decoding: path, as: UTF8.self)))"
      report.warnings.append(
        "\(text) is another one here; that of the guest is beside it:"
          + " \(ForeignText.line(String(decoding: beside, as: UTF8.self)))")
      return
    }
  }
}
