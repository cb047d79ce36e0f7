/// Where the guest's console and qvm's own remarks are shown.
package struct ConsoleOutput: Sendable {
  /// Whether the last byte shown ended a line.
  private var isAtLineStart = true
  /// Whether standard output still takes anything.
  package private(set) var isOpen = true

  package init() {}

  /// Shows what the guest wrote, byte by byte as it came.
  package mutating func show(_ bytes: [UInt8]) {
    guard isOpen, let last = bytes.last else { return }
    if bytes.first != 0x1B { isAtLineStart = last == 0x0A || last == 0x0D }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Files.writeSome(rest, to: 1)
      if count < 0 {
        isOpen = false
        return
      }
      rest = rest.dropFirst(count)
    }
  }

  /// Shows a remark of qvm's own on standard error, on lines of its own.
  package mutating func remark(_ text: String) {
    var bytes: [UInt8] = isAtLineStart ? [] : [0x0A]
    isAtLineStart = true
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      bytes.append(contentsOf: "qvm: \(line)\n".utf8)
    }
    _ = Files.writeSome(bytes[...], to: 2)
  }
}
