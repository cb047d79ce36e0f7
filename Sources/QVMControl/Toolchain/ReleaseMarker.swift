/// The file in a managed folder that names its release.
enum ReleaseMarker {
  private static let name = "RELEASE"

  /// The tag; nil if the folder is missing or not managed.
  static func tag(in folder: String) -> String? {
    guard let text = Files.text("\(folder)/\(name)") else { return nil }
    let tag = String(text.prefix { !$0.isNewline })
    return PlainName.isValid(tag) ? tag : nil
  }

  static func write(_ tag: String, in folder: String) throws(FileError) {
    try Files.write(Array("\(tag)\n".utf8), to: "\(folder)/\(name)", mode: 0o644)
  }
}
