internal import QMPClient

/// Puts the file of a task into a guest, where a command line would be too long for it.
///
/// The command's standard input stays its own, because the file comes by a session before it.
package enum TaskDelivery {
  /// Why the file is not there.
  package enum Failure: UserFacingError, Hashable {
    /// The guest could not write it.
    case notWritten(name: String, why: String)
    /// ssh failed.
    case notReached(name: String, why: String)

    package var message: String {
      switch self {
      case .notWritten(let name, let why): "\(name) cannot store the command in /tmp: \(why)"
      case .notReached(let name, let why): "the command did not get into \(name): \(why)"
      }
    }

    package var advice: String? {
      switch self {
      case .notWritten:
        "A long command or a script needs a file there. Free some space in the guest."
      case .notReached(let name, _): "'qvm status \(name)' shows its state."
      }
    }

    package var exitStatus: ExitStatus {
      switch self {
      case .notWritten: .failed
      case .notReached: ExitStatus(rawValue: 255)
      }
    }
  }

  /// Writes the file of a command, if it needs one. Only its user can read it.
  ///
  /// A file that is cut off is removed in the guest, also if this process ends.
  ///
  /// - Throws: ``Failure``, ``SSHError``, ``SpawnError``, `SystemError`; `CancellationError`.
  package static func deliver(_ command: GuestCommand, by transfer: GuestTransfer) async throws {
    guard let contents = command.contents else { return }
    let (script, name) = (script(command.taskFile, bytes: contents.count), transfer.name)
    let outcome = try await transfer.run(script, token: "qvm", .toGuest) { output, stop in
      try contents.withUnsafeBytes { try ByteStream(output, stop: stop).write($0) }
    }
    try Task.checkCancellation()
    let why = outcome.messages.last { !$0.isEmpty } ?? outcome.end.description
    switch outcome.end {
    case .exited(0): break
    case .exited(255), .signalled:
      if let refusal = transfer.ssh.refusal(outcome.messages.joined(separator: "\n")) {
        throw refusal
      }
      throw Failure.notReached(name: name, why: why)
    case .exited: throw Failure.notWritten(name: name, why: why)
    }
  }

  private static func script(_ path: String, bytes count: Int) -> String {
    """
    f=\(path)
    umask 077
    set -C
    cat >$f && [ $(wc -c <$f) -eq \(count) ] && exit 0
    rm -f $f
    exit 1
    """
  }
}
