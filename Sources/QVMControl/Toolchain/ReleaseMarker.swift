/// The file in a managed folder that says which release it came from.
enum ReleaseMarker {
  private static let name = "RELEASE"

  /// The tag; nil where the folder is absent or is not managed.
  static func tag(in folder: String) -> String? {
    guard let text = Files.text("\(folder)/\(name)") else { return nil }
    let tag = String(text.prefix { !$0.isNewline })
    return PlainName.isValid(tag) ? tag : nil
  }

  static func write(_ tag: String, in folder: String) throws(FileError) {
    try Files.write(Array("\(tag)\n".utf8), to: "\(folder)/\(name)", mode: 0o644)
  }
}
