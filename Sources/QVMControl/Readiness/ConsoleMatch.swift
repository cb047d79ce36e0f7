/// Looks for a text in a stream of bytes that comes in pieces.
package struct ConsoleMatch: Sendable {
  private let text: [UInt8]
  /// The end of what was seen: the text may be split over two pieces.
  private var carried: [UInt8] = []
  package private(set) var isFound = false

  package init(_ text: String) {
    self.text = Array(text.utf8)
  }

  package mutating func read(_ bytes: [UInt8]) {
    guard !isFound else { return }
    let window = carried + bytes
    if window.count >= text.count {
      for start in 0...(window.count - text.count)
      where window[start] == text[0] && window[start..<start + text.count].elementsEqual(text) {
        isFound = true
        return
      }
    }
    carried = Array(window.suffix(text.count - 1))
  }
}
