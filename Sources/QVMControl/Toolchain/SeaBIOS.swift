internal import QMPClient

/// The BIOS of x86-64 guests, of which some versions are slow with some QEMUs.
enum SeaBIOS {
  /// The first SeaBIOS that doesn't wait for the empty CD drive of a new QEMU.
  private static let firstForNew = QEMUVersion(major: 1, minor: 16, micro: 3)
  /// The first QEMU with which an older SeaBIOS waits; measured with 7.2, 10.0 and 11.1.
  private static let firstNew = QEMUVersion(major: 10, minor: 0, micro: 0)

  /// Why a guest starts slowly with a SeaBIOS and a QEMU.
  ///
  /// - Parameters:
  ///   - path: The file of SeaBIOS.
  ///   - version: QEMU's.
  /// - Returns: The end of a sentence; nil if it isn't slow, or unknown.
  static func slowness(_ path: String, with version: QEMUVersion) -> String? {
    guard version >= firstNew, let bytes = try? Files.read(path),
      let own = Self.version(in: bytes), own < firstForNew
    else { return nil }
    return "is SeaBIOS \(own), which with QEMU \(version) waits half a minute for an empty CD drive"
  }

  /// The version in a SeaBIOS image: a string such as `rel-1.16.3-0-gabc`, or a distribution's
  /// form, such as `1.16.3-debian-1.16.3-2`.
  static func version(in bytes: [UInt8]) -> QEMUVersion? {
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
