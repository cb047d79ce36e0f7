import QVMControl

extension Phase {
  /// The phase as tables show it, with the reason if there is one; for a running VM, whether its guest is
  /// ready or still boots.
  func text(_ reason: String?, isReady: Bool?) -> String {
    switch (self, reason) {
    case (.running, _): isReady.map { "\(rawValue) (\($0 ? "ready" : "booting"))" } ?? rawValue
    case (.paused, let reason?), (.crashed, let reason?), (.stopped, let reason?):
      "\(rawValue) (\(Outcome.text(forReason: reason)))"
    default: rawValue
    }
  }
}
