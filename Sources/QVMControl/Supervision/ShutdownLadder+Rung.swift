extension ShutdownLadder {
  package enum Rung: Int, CaseIterable, Comparable, Sendable {
    case powerButton = 1
    case guestCommand = 2
    case quit = 3
    case terminate = 4
    case kill = 5

    package static func < (left: Rung, right: Rung) -> Bool { left.rawValue < right.rawValue }

    /// The word in files and messages.
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

  package enum Action: Sendable, Hashable {
    /// Press the power button.
    case press
    /// Run the guest's own command for powering off.
    case runGuestCommand
    /// Have QEMU end by its monitor.
    case quit
    /// Send SIGTERM.
    case terminate
    /// Send SIGKILL.
    case kill

    /// The rung that it belongs to.
    package var rung: Rung {
      switch self {
      case .press: .powerButton
      case .runGuestCommand: .guestCommand
      case .quit: .quit
      case .terminate: .terminate
      case .kill: .kill
      }
    }
  }
}
