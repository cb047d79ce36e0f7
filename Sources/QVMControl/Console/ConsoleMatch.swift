/// Looks for a text on a console, whose bytes come in pieces.
///
/// It is there where a person reads it, whatever colours or moves the cursor between its letters
/// (``PlainConsole``), and where the bytes are written just so: the text itself may have a sequence.
package struct ConsoleMatch: Sendable {
  private var plain = PlainConsole()
  private var shown: Search
  private var written: Search

  package init(_ text: String) {
    shown = Search(text)
    written = shown
  }

  package var isFound: Bool { shown.isFound || written.isFound }

  package mutating func read(_ bytes: [UInt8]) {
    guard !isFound else { return }
    written.read(bytes)
    shown.read(plain.read(bytes))
  }

  /// Looks for bytes in a stream.
  private struct Search {
    private let text: [UInt8]
    /// The end of what was seen: the text may be split over two pieces.
    private var carried: [UInt8] = []
    private(set) var isFound = false

    init(_ text: String) { self.text = Array(text.utf8) }

    mutating func read(_ bytes: [UInt8]) {
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
}
