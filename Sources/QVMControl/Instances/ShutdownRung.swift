/// A rung of the shutdown ladder, from the gentlest to the hardest.
package enum ShutdownRung: Int, CaseIterable, Comparable, Sendable {
  case powerButton = 1
  case guestCommand = 2
  case quit = 3
  case terminate = 4
  case kill = 5

  package static func < (left: ShutdownRung, right: ShutdownRung) -> Bool {
    left.rawValue < right.rawValue
  }

  /// The name in files and messages.
  package var name: String {
    switch self {
    case .powerButton: "powerdown"
    case .guestCommand: "ssh"
    case .quit: "quit"
    case .terminate: "sigterm"
    case .kill: "sigkill"
    }
  }
}
