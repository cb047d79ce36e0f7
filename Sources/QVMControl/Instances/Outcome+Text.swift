private import QMPClient

extension Outcome {
  /// The end of a boot for people, such as `demo-1 powered off (1.2 s)`. `disk` is the one that is kept,
  /// nil if the instance was removed.
  package func sentence(_ name: String, disk: String?) -> String {
    let time = seconds.map { " (\(Self.short($0)) s)" } ?? ""
    let reason = ForeignText.line(Self.text(forReason: reason))
    var text: String
    switch result {
    case .clean: text = "\(name) powered off\(time)"
    case .forced: text = "\(name) was forced to stop: \(reason)\(time)"
    case .reset:
      text = "\(name) was reset, and QEMU exited instead of restarting it: \(reason)\(time)"
    case .unknown: text = "\(name) has ended (cause unknown)"
    case .failedToStart: text = "\(name) did not start: \(reason)"
    case .crashed: text = "\(name) crashed: \(reason)"
    }
    if let memoryKill { text += "\n\(memoryKill.sentence)" }
    if isWithoutCore {
      text +=
        "\nQEMU left no core dump, because it would contain the guest's memory. To get one, set"
        + " \(CoreDump.variable)=1 and 'ulimit -c unlimited' before 'qvm start \(name)'"
    }
    if disk == nil { text += ", and the instance was removed" }
    if let diskError { text += "\nits disk had an error: \(diskError)" }
    if !isConfirmedShutdown, let disk { text += "\nits disk is kept: \(disk)" }
    if self.reason == Outcome.stalledByDisk, disk != nil {
      text +=
        "\ndata that could not be written is lost, as after a power cut. Free some space, or repair"
        + " the host's disk, and run 'qvm start \(name)'"
    }
    return text
  }

  /// Seconds with one decimal.
  static func short(_ seconds: Double) -> String {
    let tenths = Int(min(max(seconds, 0), 1e9) * 10 + 0.5)
    return "\(tenths / 10).\(tenths % 10)"
  }
}

extension Outcome {
  /// A reason in a few words for people, without a full stop. An unknown reason, or one that is a phrase
  /// already, is returned unchanged.
  package static func text(forReason reason: String) -> String {
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
