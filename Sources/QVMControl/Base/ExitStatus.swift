/// The exit statuses of `qvm`. Each has one meaning.
package struct ExitStatus: RawRepresentable, Sendable, Hashable {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }

  package static let done = ExitStatus(rawValue: 0)
  package static let failed = ExitStatus(rawValue: 1)
  /// `status`: the instance exists and is not running.
  package static let notRunning = ExitStatus(rawValue: 3)
  package static let noSuchInstance = ExitStatus(rawValue: 4)
  /// `wait`: the VM ended before the condition held.
  package static let endedFirst = ExitStatus(rawValue: 5)
  /// The command-line arguments are wrong: `EX_USAGE` of `sysexits.h`.
  package static let usage = ExitStatus(rawValue: 64)
  package static let timedOut = ExitStatus(rawValue: 124)
  /// The user forced the shutdown, or interrupted a command.
  package static let interrupted = ExitStatus(rawValue: 130)
}
