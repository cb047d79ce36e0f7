import QVMControl

extension Phase {
  /// The phase as the tables show it, with the reason where that says more; of a VM that runs, how
  /// far its guest is.
  func text(_ reason: String?, isReady: Bool?) -> String {
    switch (self, reason) {
    case (.running, _): isReady.map { "\(rawValue) (\($0 ? "ready" : "booting"))" } ?? rawValue
    case (.paused, let reason?), (.crashed, let reason?), (.stopped, let reason?):
      "\(rawValue) (\(Outcome.words(reason)))"
    default: rawValue
    }
  }
}
