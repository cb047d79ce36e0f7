/// Names that are safe in a path and in a URL: those of tags and assets.
enum PlainName {
  /// Whether a name has at most 128 characters, only letters, digits and `.-_+`, and doesn't begin
  /// with `.` or `-`.
  static func isValid(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 128, first != UInt8(ascii: ".") else {
      return false
    }
    return first != UInt8(ascii: "-")
      && name.utf8.allSatisfy { byte in
        byte.isASCIIAlphanumeric || ".-_+".utf8.contains(byte)
      }
  }
}
