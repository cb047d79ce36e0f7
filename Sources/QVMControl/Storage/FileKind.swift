/// Describes the kind of a file by its first bytes, for errors about an unexpected download.
enum FileKind {
  static func description(of head: [UInt8]) -> String {
    if head.isEmpty { return "an empty file" }
    for (magic, name) in magics where head.starts(with: magic) { return name }
    if head.count > 261, head[257..<262].elementsEqual("ustar".utf8) { return "a tar archive" }
    let text = head.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    switch text.first {
    case UInt8(ascii: "<")?: return "a web page"
    case UInt8(ascii: "{")?, UInt8(ascii: "[")?: return "JSON"
    default:
      let isText = head.allSatisfy {
        $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A || $0 == 0x0D || $0 == 9
      }
      return isText ? "text" : "something else"
    }
  }

  private static let magics: [([UInt8], String)] = [
    ([0x51, 0x46, 0x49, 0xFB], "a qcow2 image"), ([0x1F, 0x8B], "a gzip archive"),
    ([0x28, 0xB5, 0x2F, 0xFD], "a zstd archive"), ([0xFD, 0x37, 0x7A, 0x58], "an xz archive"),
    ([0x42, 0x5A, 0x68], "a bzip2 archive"), ([0x50, 0x4B, 0x03, 0x04], "a zip archive"),
    ([0x7F, 0x45, 0x4C, 0x46], "a Linux program"),
  ]
}
