/// What qvm reports of a shutdown, step by step.
package enum ShutdownRemarks {
  /// The report when the user asks for a rung at the terminal.
  static func asked(_ rung: ShutdownRung, _ name: InstanceName) -> String {
    switch rung {
    case .powerButton: "shutting \(name) down… (Ctrl-C again to force)"
    case .quit: "forcing \(name) to end… (Ctrl-C again to kill QEMU)"
    default: "killing QEMU"
    }
  }

  /// The report when the supervisor has reached a rung.
  ///
  /// - Parameters:
  ///   - rung: The rung's name, as in the supervisor's events.
  ///   - presses: How often the power button was pressed so far.
  /// - Returns: The text; nil if there is nothing to report.
  static func reached(_ rung: String, presses: Int) -> String? {
    switch ShutdownRung.allCases.first(where: { $0.name == rung }) {
    case .powerButton where presses > 1: "pressed the power button again (\(presses) times)"
    case .guestCommand: "told the guest by ssh to power off"
    case .quit: presses > 0 ? "the guest did not react: ending QEMU" : "ending QEMU"
    case .terminate: "QEMU did not exit on 'quit': sent SIGTERM"
    case .kill: "QEMU did not exit: sent SIGKILL"
    case .powerButton, nil: nil
    }
  }
}
