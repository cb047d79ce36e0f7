internal import QMPClient

/// When qvm deletes an instance with its disk by itself: the one rule that all who delete ask.
///
/// A user's own request, `qvm rm`, needs no rule.
package enum RemovalPolicy {
  /// How far a disk has come.
  package enum Disk: Sendable {
    /// It is half-made: its instance never got its name.
    case unnamed
    /// The boot failed before an instruction of its guest ran.
    case unused(madeForThisBoot: Bool)
    /// The boot has ended, as its outcome says.
    case ended(BootRecord, Outcome)
  }

  /// Whether the instance is to be deleted.
  ///
  /// Only a shutdown that is certain to be orderly is enough, and only with `--rm`; or a disk that
  /// nothing was ever written to.
  ///
  /// - Parameters:
  ///   - disk: How far its disk has come.
  ///   - isMoved: Whether its folder was moved or removed meanwhile: under its name there may be
  ///     another instance by now.
  /// - Returns: Whether to delete it; false in doubt.
  package static func removes(_ disk: Disk, isMoved: Bool = false) -> Bool {
    if isMoved { return false }
    switch disk {
    case .unnamed: return true
    case .unused(let madeForThisBoot): return madeForThisBoot
    case .ended(let boot, let outcome):
      guard boot.removeOnShutdown, outcome.token == boot.token else { return false }
      // An end that was not observed may have been a reset or a panic, if QEMU was told to end then.
      if outcome.result == .unknown, QEMUArguments(boot.command).mayEndWithoutShutdown {
        return false
      }
      return outcome.isConfirmedShutdown || boot.isFirst && outcome.result == .failedToStart
    }
  }
}

extension Outcome {
  /// Whether it is certain that the VM ended in an orderly way. After a kill the disk may be what the
  /// user wants to look at.
  package var isConfirmedShutdown: Bool {
    switch result {
    case .clean, .forced:
      signal == nil && (exitStatus ?? 0) == 0 && isOrderly
    case .unknown: true
    case .reset, .crashed, .failedToStart: false
    }
  }

  /// Whether the cause leaves the disk as the guest, or the request for the end, meant it to be. A
  /// signal that was no rung of a shutdown came from elsewhere, and is a power cut to the guest.
  private var isOrderly: Bool {
    switch ShutdownCause(rawValue: reason) {
    case .guestShutdown, .hostQMPQuit: true
    case .hostSignal: rung == ShutdownRung.terminate.name
    default: false
    }
  }
}
