/// The phase of an instance's life.
package enum Phase: String, Sendable {
  case starting, running, paused, stopping, stopped, crashed
  /// QEMU runs without a supervisor, or a new supervisor is just adopting it.
  case orphaned
  /// The VM is running but doesn't respond.
  case unresponsive
  /// Its files can't be read.
  case broken

  /// Whether a process of the VM is running.
  package var isAlive: Bool {
    switch self {
    case .starting, .running, .paused, .stopping, .orphaned, .unresponsive: true
    case .stopped, .crashed, .broken: false
    }
  }
}
