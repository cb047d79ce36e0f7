extension QEMUArguments {
  /// Makes the relative paths in a user's arguments absolute, so that they are valid in any folder.
  ///
  /// QEMU runs in `/`. In the caller's folder, it would keep the folder's disk mounted, and a later
  /// start from another folder would not find the files. Options and members that take a path are
  /// known by name. Network addresses, names of block devices and JSON stay unchanged.
  ///
  /// - Parameters:
  ///   - words: The user's `--qemu-arg` arguments.
  ///   - folder: The caller's working folder, absolute.
  ///   - exists: Whether something is at an absolute path.
  /// - Returns: The same number of arguments in the same order.
  package static func withAbsolutePaths(
    _ words: [String], in folder: String, exists: (String) -> Bool
  ) -> [String] {
    words.indices.map { index in
      let word = words[index]
      if isOption(word) { return word }
      let option = index > 0 ? name(ofOption: words[index - 1]) : nil
      if let option, takingPath.contains(option) {
        return absolute(word, in: folder, isCertain: option != "bios", exists) ?? word
      }
      return withAbsoluteItems(word, in: folder, exists)
    }
  }

  /// The options whose whole value is a path. QEMU also searches its own folders for `-bios`.
  private static let takingPath: Set<String> = [
    "bios", "cdrom", "dtb", "fda", "fdb", "hda", "hdb", "hdc", "hdd", "initrd", "kernel", "L",
    "mtdblock", "pflash", "readconfig", "sd", "shim",
  ]

  /// Members of other options that are always paths. The file may not exist yet.
  private static let certainKeys = [
    "file", "filename", "file.filename", "logfile", "mem-path", "path",
  ]
  /// Members that may be paths or something else.
  private static let possibleKeys = [
    "dir", "downscript", "dtb", "initrd", "kernel", "romfile", "script", "smb", "tftp",
  ]
  /// The prefixes of a path in the values of `-serial`, `-monitor` and similar options.
  private static let prefixes = ["file:", "pipe:", "unix:"]

  private static func name(ofOption word: String) -> String? {
    isOption(word) ? String(word.drop { $0 == "-" }) : nil
  }

  private static func withAbsoluteItems(
    _ word: String, in folder: String, _ exists: (String) -> Bool
  ) -> String {
    if word.utf8.first == UInt8(ascii: "{") { return word }
    var items = QEMUOptionValue(word)
    for (keys, isCertain) in [(certainKeys, true), (possibleKeys, false)] {
      for key in keys {
        for index in items.indices(of: key) {
          let value = items[index, key]
          let path = absolute(value, in: folder, isCertain: isCertain, exists)
          if let path { items[index, key] = path }
        }
      }
    }
    let edited = items.value
    guard let prefix = prefixes.first(where: { edited.utf8.starts(with: $0.utf8) }) else {
      return edited
    }
    let rest = String(decoding: edited.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    // The path ends at the first comma, where the next item begins.
    let path = rest.prefix { $0 != "," }
    guard !path.isEmpty, path.utf8.first != UInt8(ascii: "/") else { return edited }
    return "\(prefix)\(QEMUOptionValue.quoted(folder))/\(rest)"
  }

  /// The absolute form of a relative path; nil if the value isn't certainly a relative path.
  private static func absolute(
    _ value: String, in folder: String, isCertain: Bool, _ exists: (String) -> Bool
  ) -> String? {
    if value.isEmpty || value.utf8.first == UInt8(ascii: "/") { return nil }
    let path = folder == "/" ? "/\(value)" : "\(folder)/\(value)"
    let isOutright = value.hasPrefix("./") || value.hasPrefix("../")
    // With a colon it may be nbd://host/name or fat:rw:folder.
    let isPlain = !value.utf8.contains(UInt8(ascii: ":"))
    return isOutright || isCertain && isPlain || exists(path) ? path : nil
  }
}
