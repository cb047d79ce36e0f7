/// Searches a console's output, which arrives in pieces, for a text.
///
/// It is found if a person would read it there, even with control sequences between its letters
/// (``PlainConsole``). It is also found if the raw bytes contain it, because the text itself may
/// contain a sequence.
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

  /// Searches a stream for bytes.
  private struct Search {
    private let text: [UInt8]
    /// The end of the last piece: the text may be split over two.
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
