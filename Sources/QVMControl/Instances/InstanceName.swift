/// The name of an instance: safe in a path, in a shell and in QEMU's options.
package struct InstanceName: Sendable, Hashable, CustomStringConvertible {
  package let text: String

  /// Checks a name: `[A-Za-z0-9][A-Za-z0-9._-]{0,62}`.
  ///
  /// - Throws: ``InstanceError/badName(_:)``.
  package init(_ text: String) throws(InstanceError) {
    var text = text
    let isGood = text.withUTF8 { bytes in
      guard let first = bytes.first, bytes.count <= 63, first.isASCIIAlphanumeric else {
        return false
      }
      return bytes.allSatisfy { $0.isASCIIAlphanumeric || Self.isMark($0) }
    }
    if !isGood { throw .badName(text) }
    self.text = text
  }

  /// Reads names, without duplicates, in their order.
  ///
  /// - Throws: ``InstanceError/badName(_:)`` for the first invalid name.
  package static func distinct(_ words: [String]) throws(InstanceError) -> [InstanceName] {
    var names: [InstanceName] = []
    for word in words {
      let name = try InstanceName(word)
      if !names.contains(name) { names.append(name) }
    }
    return names
  }

  private init(trusted text: String) { self.text = text }

  package var description: String { text }

  /// `qvm-` and a random pronounceable word, such as `qvm-tibaru`.
  package static func random() -> InstanceName {
    let consonants = Array("bdfgklmnprstvz")
    let vowels = Array("aeiou")
    var word = "qvm-"
    for byte in Randomness.bytes(3) {
      word.append(consonants[Int(byte) % consonants.count])
      word.append(vowels[Int(byte) / consonants.count % vowels.count])
    }
    return InstanceName(trusted: word)
  }

  private static func isMark(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }
}
