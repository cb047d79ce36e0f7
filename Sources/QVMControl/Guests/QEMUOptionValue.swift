/// The value of a QEMU option, split at commas: `type=q35,accel=kvm:tcg`.
///
/// A doubled comma means a comma inside an item. Items that are not edited stay the same, byte for
/// byte. Works on bytes, as QEMU does: a comma with a combining accent is one character to Swift,
/// but still ends an item.
package struct QEMUOptionValue: Sendable, Equatable {
  private var items: [String]

  package init(_ value: String) {
    items = value.isEmpty ? [] : Self.split(value)
  }

  /// The whole value, in QEMU's syntax.
  package var value: String { items.joined(separator: ",") }

  /// The value of the first item named `key`; nil if there is none.
  package subscript(key: String) -> String? {
    indices(of: key).first.map { self[$0, key] }
  }

  /// Sets the first item named `key`, or appends one.
  package mutating func set(_ key: String, to value: String) {
    if let index = indices(of: key).first {
      self[index, key] = value
    } else {
      items.append(Self.item(key, value))
    }
  }

  /// The first item, which says of what kind the option is: `user` in `-netdev user,id=…`.
  var kind: String? { items.first.map { Self.unquoted($0.utf8[...]) } }

  /// Appends an item, also if there is one of this name.
  mutating func append(_ key: String, _ value: String) { items.append(Self.item(key, value)) }

  /// The indices of the items named `key`. QEMU allows some, such as `hostfwd`, more than once.
  func indices(of key: String) -> [Int] {
    items.indices.filter { items[$0].utf8.starts(with: "\(key)=".utf8) }
  }

  /// The value of the item at `index`, which must be named `key`.
  subscript(index: Int, key: String) -> String {
    get { Self.unquoted(items[index].utf8.dropFirst(key.utf8.count + 1)) }
    set { items[index] = Self.item(key, newValue) }
  }

  /// Doubles the commas of a text, for options whose value QEMU splits at commas.
  ///
  /// Needed in the values of `-drive`, `-chardev`, `-netdev`, `-machine` and similar options. Wrong
  /// for `-bios` and `-pidfile`, whose value is a plain path.
  package static func quoted(_ text: String) -> String {
    guard text.utf8.contains(comma) else { return text }
    let bytes = text.utf8.flatMap { $0 == comma ? [comma, comma] : [$0] }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let comma = UInt8(ascii: ",")

  private static func item(_ key: String, _ value: String) -> String {
    "\(key)=\(quoted(value))"
  }

  private static func unquoted(_ item: Substring.UTF8View) -> String {
    var bytes: [UInt8] = []
    var isSecond = false
    for byte in item {
      isSecond = byte == comma && !isSecond
      if byte != comma || isSecond { bytes.append(byte) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Splits from the left, as QEMU does: in `a,,,b` the first two commas belong to the item.
  private static func split(_ value: String) -> [String] {
    var items: [[UInt8]] = [[]]
    var rest = value.utf8[...]
    while let byte = rest.popFirst() {
      if byte == comma && rest.first != comma {
        items.append([])
        continue
      }
      items[items.endIndex - 1].append(byte)
      if byte == comma { rest.popFirst().map { items[items.endIndex - 1].append($0) } }
    }
    return items.map { String(decoding: $0, as: UTF8.self) }
  }
}
