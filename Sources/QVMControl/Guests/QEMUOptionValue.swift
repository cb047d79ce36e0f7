/// The value of a QEMU option as the items between its commas: `type=q35,accel=kvm:tcg`.
///
/// A doubled comma stands for a comma inside an item. Items that nobody edits come out as they went
/// in, to the byte. All of it works on bytes, as QEMU does: a comma with a combining accent behind
/// it is one character to Swift, and still ends an item.
package struct QEMUOptionValue: Sendable, Equatable {
  private var items: [String]

  package init(_ value: String) {
    items = value.isEmpty ? [] : Self.split(value)
  }

  /// The option's value, as QEMU takes it.
  package var value: String { items.joined(separator: ",") }

  /// The value of the first item named `key`; nil where there is none.
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

  /// Where the items named `key` are: QEMU allows some, such as `hostfwd`, more than once.
  func indices(of key: String) -> [Int] {
    items.indices.filter { items[$0].utf8.starts(with: "\(key)=".utf8) }
  }

  /// The value of the item at `index`, which is named `key`.
  subscript(index: Int, key: String) -> String {
    get { Self.unquoted(items[index].utf8.dropFirst(key.utf8.count + 1)) }
    set { items[index] = Self.item(key, newValue) }
  }

  /// `text` for a place where QEMU splits at commas: each comma doubled.
  ///
  /// Right for the values of `-drive`, `-chardev`, `-netdev`, `-machine` and their like; wrong for
  /// `-bios` and `-pidfile`, which take a path as it is.
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

  /// Splits as QEMU does, from the left: in `a,,,b` the first two commas are the item's own.
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
