private import QMPClient

extension Outcome {
  /// Describes a reason for people, in a few words without a full stop. An unknown reason, and one
  /// that is already a description, stays unchanged.
  package static func words(_ reason: String) -> String {
    switch reason {
    case ShutdownCause.guestShutdown.rawValue: "the guest powered off"
    case ShutdownCause.guestReset.rawValue: "the guest reset itself"
    case ShutdownCause.guestPanic.rawValue: "the guest panicked"
    case ShutdownCause.hostQMPQuit.rawValue: "QEMU was told to quit"
    case ShutdownCause.hostSignal.rawValue: "QEMU got a signal to end"
    case ShutdownCause.hostError.rawValue: "an error on the host"
    case ShutdownCause.hostQMPSystemReset.rawValue: "QEMU was told to reset the guest"
    case ShutdownCause.hostUI.rawValue: "QEMU's window was closed"
    case ShutdownCause.subsystemReset.rawValue: "a part of the guest was reset"
    case ShutdownCause.unspecified.rawValue: "QEMU gave no cause"
    case "killed", "qemu-killed": "QEMU was killed"
    case "no-shutdown-event": "QEMU ended by itself"
    case "unobserved": "nobody saw how"
    case hostReboot: "the host was restarted"
    case outOfMemory: "out of memory"
    case stalledByDisk: "the guest stood still, since its disk could not be used"
    case copied: "it is a copy, made while the VM ran"
    default: ofProcess(reason) ?? reason
    }
  }

  /// Describes the end of QEMU's process, such as `qemu-signal-9`.
  private static func ofProcess(_ reason: String) -> String? {
    let signal = "qemu-signal-"
    let exit = "qemu-exit-"
    if reason.hasPrefix(signal), let number = Int32(reason.dropFirst(signal.count)) {
      return "QEMU was ended by \(Signal(rawValue: number))"
    }
    if reason.hasPrefix(exit) { return "QEMU ended with status \(reason.dropFirst(exit.count))" }
    return nil
  }
}
