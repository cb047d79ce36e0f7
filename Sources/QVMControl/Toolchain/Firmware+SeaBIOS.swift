internal import QMPClient

/// SeaBIOS and the QEMUs that it gets on with.
extension Firmware {
  /// The first SeaBIOS that doesn't wait for the empty CD drive of a new QEMU.
  private static let firstForNew = QEMUVersion(major: 1, minor: 16, micro: 3)
  /// The first QEMU that an older one waits for; measured with 7.2, 10.0 and 11.1.
  private static let firstNew = QEMUVersion(major: 10, minor: 0, micro: 0)

  /// How a firmware makes a guest slow with a QEMU.
  ///
  /// - Parameters:
  ///   - path: The firmware's file.
  ///   - version: QEMU's.
  /// - Returns: The end of a sentence; nil where it doesn't, or nothing is known.
  func slowness(_ path: String, with version: QEMUVersion) -> String? {
    guard self == .bios, version >= Self.firstNew, let bytes = try? Files.read(path),
      let own = Self.seaBIOSVersion(bytes), own < Self.firstForNew
    else { return nil }
    return "is SeaBIOS \(own), which with QEMU \(version) waits half a minute for an empty CD drive"
  }

  /// The version in a SeaBIOS image: a text of its own such as `rel-1.16.3-0-gabc`, or what a
  /// distribution makes of it, `1.16.3-debian-1.16.3-2`.
  static func seaBIOSVersion(_ bytes: [UInt8]) -> QEMUVersion? {
    let texts = bytes.split(whereSeparator: { $0 < 0x20 || $0 > 0x7E })
    for text in texts where (6...80).contains(text.count) {
      let words = String(decoding: text, as: UTF8.self)
      let plain = words.hasPrefix("rel-") ? words.dropFirst(4) : words[...]
      guard let end = plain.firstIndex(of: "-"), plain.first == "1",
        let version = QEMUVersion(String(plain[..<end]))
      else { continue }
      return version
    }
    return nil
  }
}
