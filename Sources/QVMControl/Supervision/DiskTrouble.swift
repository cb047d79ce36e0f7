package import QMPClient

/// What QEMU could not read from or write to a disk of the guest and told the guest, which may lose
/// data by it: unlike after a pause, it can't be mended any more.
package struct DiskTrouble: Sendable, Hashable {
  /// The kinds that were seen, each once: a guest may try again for ever.
  private var kinds: [String] = []
  /// How many kinds are kept.
  private static let most = 4

  package init() {}

  /// Takes in an event.
  ///
  /// - Returns: What to report; nil if there is nothing new.
  package mutating func note(_ event: QMPEvent) -> String? {
    guard let error = event.blockIOError, error.action != "stop" else { return nil }
    let kind = Self.text(error)
    guard kinds.count < Self.most, !kinds.contains(kind) else { return nil }
    kinds.append(kind)
    return "a disk of the guest failed, and the guest was told: \(kind)"
  }

  /// What is known, such as `read: Input/output error`; nil if there was no trouble.
  package var text: String? { kinds.isEmpty ? nil : kinds.joined(separator: "; ") }

  /// An error in a few words, QEMU's own where it has some.
  package static func text(_ error: QMPEvent.BlockIOError) -> String {
    let words = [error.operation, error.reason].filter { !$0.isEmpty }
    return words.isEmpty ? "unknown" : words.joined(separator: ": ")
  }
}
