extension Outcome {
  /// Describes the end for people, such as `demo-1 powered off (1.2 s)`. `disk` is the disk that is
  /// kept; nil if the instance was removed.
  package func sentence(_ name: String, disk: String?) -> String {
    let time = seconds.map { " (\(Self.short($0)) s)" } ?? ""
    let reason = ForeignText.line(Self.words(reason))
    var text: String
    switch result {
    case .clean: text = "\(name) powered off\(time)"
    case .forced: text = "\(name) was forced to end: \(reason)\(time)"
    case .reset: text = "\(name) was reset, and QEMU ended instead: \(reason)\(time)"
    case .unknown: text = "\(name) has ended; nobody saw how"
    case .failedToStart: text = "\(name) did not start: \(reason)"
    case .crashed: text = "\(name) crashed: \(reason)"
    }
    if let memoryKill { text += "\n\(memoryKill.sentence)" }
    if isWithoutCore {
      text +=
        "\nno core of QEMU was kept, since the guest's memory would be in it; to get one, set"
        + " \(CoreDump.variable)=1 and 'ulimit -c unlimited' before 'qvm start \(name)'"
    }
    if disk == nil { text += "; removed" }
    if let diskError { text += "\nits disk had an error: \(diskError)" }
    if !isConfirmedShutdown, let disk { text += "\nits disk is kept: \(disk)" }
    if self.reason == Outcome.stalledByDisk, disk != nil {
      text +=
        "\nwhat it lacked is as after a power cut; once there is room, or that is mended,"
        + " 'qvm start \(name)' boots it"
    }
    return text
  }

  /// Seconds with one decimal digit.
  static func short(_ seconds: Double) -> String {
    let tenths = Int(min(max(seconds, 0), 1e9) * 10 + 0.5)
    return "\(tenths / 10).\(tenths % 10)"
  }
}
