extension QEMUArguments {
  /// Words for QEMU whose relative paths lead to the same files from any folder.
  ///
  /// QEMU runs in `/`: in the caller's folder it would keep that folder's disk from being unmounted,
  /// and an instance that is started again from elsewhere would not find its files. What is a path
  /// is told by the options and members that take one; what is a network address, the name of a
  /// block device or JSON stays as it is.
  ///
  /// - Parameters:
  ///   - words: What the user gave with `--qemu-arg`.
  ///   - folder: The caller's, absolute.
  ///   - exists: Whether something is at an absolute path.
  /// - Returns: As many words, in their order.
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

  /// The options whose whole value is a path. QEMU looks for `-bios` in its own folders, too.
  private static let takingPath: Set<String> = [
    "bios", "cdrom", "dtb", "fda", "fdb", "hda", "hdb", "hdc", "hdd", "initrd", "kernel", "L",
    "mtdblock", "pflash", "readconfig", "sd", "shim",
  ]

  /// The members of other options that are paths of files, which need not be there yet.
  private static let certainKeys = [
    "file", "filename", "file.filename", "logfile", "mem-path", "path",
  ]
  /// Those that may be something else.
  private static let possibleKeys = [
    "dir", "downscript", "dtb", "initrd", "kernel", "romfile", "script", "smb", "tftp",
  ]
  /// What stands before the path of `-serial`, `-monitor` and their like.
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
    // The items behind it are no part of the path, and begin at its first comma.
    let path = rest.prefix { $0 != "," }
    guard !path.isEmpty, path.utf8.first != UInt8(ascii: "/") else { return edited }
    return "\(prefix)\(QEMUOptionValue.quoted(folder))/\(rest)"
  }

  /// The absolute form of a relative path; nil for what is none, or may well be none.
  private static func absolute(
    _ value: String, in folder: String, isCertain: Bool, _ exists: (String) -> Bool
  ) -> String? {
    if value.isEmpty || value.utf8.first == UInt8(ascii: "/") { return nil }
    let path = folder == "/" ? "/\(value)" : "\(folder)/\(value)"
    let isOutright = value.hasPrefix("./") || value.hasPrefix("../")
    // As in nbd://host/name or fat:rw:folder.
    let isPlain = !value.utf8.contains(UInt8(ascii: ":"))
    return isOutright || isCertain && isPlain || exists(path) ? path : nil
  }
}
