/// Where in its life an instance is, in one word.
package enum Phase: String, Sendable {
  case creating, starting, running, paused, stopping, stopped, crashed
  /// QEMU runs without its supervisor, or a new one is just taking it over.
  case orphaned
  /// It lives, and doesn't answer.
  case unresponsive
  /// Its files can't be read.
  case broken

  /// Whether a process of the VM lives.
  package var isAlive: Bool {
    switch self {
    case .starting, .running, .paused, .stopping, .orphaned, .unresponsive: true
    case .creating, .stopped, .crashed, .broken: false
    }
  }
}
