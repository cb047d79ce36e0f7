/// A public ssh key, as a line of `authorized_keys`.
package struct PublicKey: Sendable, Hashable {
  /// The kind, the key in base 64 and perhaps a comment, without the line's end.
  package let line: String

  /// The most bytes that a file of public keys may have.
  private static let largestFile = 1 << 16

  /// Reads a user's file: of public keys, or of a private key that has its public key beside it.
  ///
  /// - Parameter path: Absolute, or relative to the working folder.
  /// - Returns: At least one key.
  /// - Throws: ``SSHKeyError``, ``FileError``.
  package static func read(_ path: String) throws -> [PublicKey] {
    let text = try contents(path)
    guard isPrivate(text) else { return try parse(text, path) }
    let other = "\(path).pub"
    guard Files.destination(other) != nil else { throw SSHKeyError.privateAlone(path: path) }
    return try parse(try contents(other), other)
  }

  private static func contents(_ path: String) throws -> String {
    switch Files.destination(path)?.kind {
    case nil: throw SSHKeyError.missing(path: path)
    case .file: break
    default: throw SSHKeyError.noFile(path: path)
    }
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try Files.read(Files.absolute(path), limit: largestFile)
    } catch {
      if error.cause == .tooBig { throw SSHKeyError.noKey(path: path) }
      throw error
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isPrivate(_ text: String) -> Bool {
    text.hasPrefix("-----BEGIN ") || text.hasPrefix("PuTTY-User-Key-File")
  }

  private static func parse(_ text: String, _ path: String) throws(SSHKeyError) -> [PublicKey] {
    if text.hasPrefix("---- BEGIN SSH2 PUBLIC KEY") { throw .otherFormat(path: path) }
    var keys: [PublicKey] = []
    for line in text.split(whereSeparator: \.isNewline).map({ $0.drop { " \t".contains($0) } }) {
      if line.isEmpty || line.hasPrefix("#") { continue }
      guard let key = PublicKey(line) else { throw .noKey(path: path) }
      keys.append(key)
    }
    if keys.isEmpty { throw .noKey(path: path) }
    return keys
  }

  /// Reads one line; nil if it is no public key.
  package init?(_ text: Substring) {
    let words = text.split(maxSplits: 2, whereSeparator: { " \t".contains($0) }).map(String.init)
    guard words.count >= 2, Self.isKind(words[0]), text.utf8.allSatisfy({ $0 >= 0x20 || $0 == 9 }),
      let blob = Self.decoded(words[1])
    else { return nil }
    // The key begins with the length and the name of its kind once more.
    let kind = Array(words[0].utf8)
    let header = [0, 0, 0, UInt8(truncatingIfNeeded: kind.count)] + kind
    guard blob.count > header.count, blob.starts(with: header) else { return nil }
    line = words.joined(separator: " ")
  }

  /// Certificates are none: a server takes them only with a line of another form.
  private static func isKind(_ word: String) -> Bool {
    ["ssh-", "ecdsa-sha2-", "sk-"].contains { word.hasPrefix($0) } && word.utf8.count < 128
      && !word.contains("-cert-v")
  }

  /// The bytes of a text in base 64; nil if it is none.
  private static func decoded(_ text: String) -> [UInt8]? {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    guard text.utf8.count.isMultiple(of: 4) else { return nil }
    let padding = text.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    guard padding <= 2 else { return nil }
    var bytes: [UInt8] = []
    var (bits, count) = (0, 0)
    for byte in text.utf8.dropLast(padding) {
      guard let digit = digits.firstIndex(of: byte) else { return nil }
      (bits, count) = ((bits << 6 | digit) & 0xFFFF, count + 6)
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> count))
      }
    }
    return bytes
  }
}
