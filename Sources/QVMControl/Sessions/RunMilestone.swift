/// How far a `run` with a command is, for a process that runs several.
package enum RunMilestone: Sendable, Hashable {
  /// The guest executes.
  case running
  /// The guest can be used, and the command starts.
  case ready
  /// The command has ended with this exit status.
  case commandEnded(Int32)
  /// The connection to the guest was lost while the command ran.
  case lost

  /// The milestone as a word or two.
  package var text: String {
    switch self {
    case .running: "running"
    case .ready: "ready"
    case .commandEnded(let status): "ended \(status)"
    case .lost: "lost"
    }
  }

  /// Reads what ``text`` writes; nil for anything else.
  package init?(_ text: String) {
    let words = text.split(separator: " ")
    switch (words.first, words.count) {
    case ("running", 1): self = .running
    case ("ready", 1): self = .ready
    case ("lost", 1): self = .lost
    case ("ended", 2):
      guard let status = Int32(words[1]) else { return nil }
      self = .commandEnded(status)
    default: return nil
    }
  }
}
