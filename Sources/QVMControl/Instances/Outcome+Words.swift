private import QMPClient

extension Outcome {
  /// A reason in a few words for people, without a full stop. An unknown reason, or one that is a phrase
  /// already, is returned unchanged.
  package static func words(_ reason: String) -> String {
    switch reason {
    case ShutdownCause.guestShutdown.rawValue: "the guest powered off"
    case ShutdownCause.guestReset.rawValue: "the guest reset itself"
    case ShutdownCause.guestPanic.rawValue: "the guest panicked"
    case ShutdownCause.hostQMPQuit.rawValue: "QEMU was told to quit"
    case ShutdownCause.hostSignal.rawValue: "QEMU was ended by a signal"
    case ShutdownCause.hostError.rawValue: "an error on the host"
    case ShutdownCause.hostQMPSystemReset.rawValue: "QEMU was told to reset the guest"
    case ShutdownCause.hostUI.rawValue: "QEMU's window was closed"
    case ShutdownCause.subsystemReset.rawValue: "a part of the guest was reset"
    case ShutdownCause.unspecified.rawValue: "QEMU gave no cause"
    case "killed", "qemu-killed": "QEMU was killed"
    case "no-shutdown-event": "QEMU exited by itself"
    case "unobserved": "cause unknown"
    case hostReboot: "the host was restarted"
    case outOfMemory: "out of memory"
    case stalledByDisk: "the guest was stuck, because its disk could not be used"
    case copied: "this is a copy, made while the VM was running"
    default: ofProcess(reason) ?? reason
    }
  }

  /// The end of QEMU's process, such as `qemu-signal-9`, in words.
  private static func ofProcess(_ reason: String) -> String? {
    let signal = "qemu-signal-"
    let exit = "qemu-exit-"
    if reason.hasPrefix(signal), let number = Int32(reason.dropFirst(signal.count)) {
      return "QEMU was ended by \(Signal(rawValue: number))"
    }
    if reason.hasPrefix(exit) { return "QEMU exited with status \(reason.dropFirst(exit.count))" }
    return nil
  }
}
