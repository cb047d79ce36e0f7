extension Outcome {
  /// The end of a boot for people, such as `demo-1 powered off (1.2 s)`. `disk` is the one that is kept,
  /// nil if the instance was removed.
  package func sentence(_ name: String, disk: String?) -> String {
    let time = seconds.map { " (\(Self.short($0)) s)" } ?? ""
    let reason = ForeignText.line(Self.words(reason))
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
