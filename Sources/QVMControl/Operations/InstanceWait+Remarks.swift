internal import QMPClient

/// When a wait reports what is still missing.
package struct RemarkTimes: Sendable, Hashable {
  /// The first reports, since the wait began.
  package var first = [Duration.seconds(10), .seconds(60)]
  /// The time between later reports.
  package var interval = Duration.seconds(300)

  package init() {}

  /// The time of the next report after `time`, both since the wait began.
  func next(after time: Duration) -> Duration {
    if let next = first.first(where: { $0 > time }) { return next }
    guard let last = first.last, time >= last else { return time + interval }
    return last + interval * (Int((time - last) / interval) + 1)
  }
}

extension InstanceWait {
  /// Reports what is still missing, at growing intervals, until the task is cancelled.
  func remarks(
    on condition: WaitCondition, _ status: VMStatus, say: @Sendable (String) -> Void
  ) async {
    let start = SuspendingClock.now
    var due = Duration.zero
    while true {
      due = remarkTimes.next(after: due)
      guard (try? await loop.sleep(until: start.advanced(by: due))) != nil else { return }
      // If the VM has ended meanwhile, the result says so instead.
      guard let signs = try? await Liveness.look(name, store) else { continue }
      let text = remark(on: condition, status, after: due, signs: signs.sentence())
      if Task.isCancelled { return }
      say(text)
    }
  }

  private func remark(
    on condition: WaitCondition, _ status: VMStatus, after time: Duration, signs: String
  ) -> String {
    let seconds = Int(time.inSeconds)
    let span = seconds < 60 ? "\(seconds) s" : "\(seconds / 60) min"
    let lack = absence(condition, status).map { "\($0); " } ?? ""
    let head = "still waiting until \(name) is \(condition), for \(span): \(lack)\(signs)"
    guard let last = tail(1).last else { return head }
    return head + "\n     the last line of its console: \(last)"
  }

  /// What is missing, in more detail than the condition; nil before QEMU runs.
  private func absence(_ condition: WaitCondition, _ status: VMStatus) -> String? {
    guard condition == .ready, let target = status.record?.target,
      let boot = (try? BootRecord.read(files.boot)) ?? nil
    else { return nil }
    return ReadySign(of: target, boot, files, consoleOffset: boot.consoleOffset)?.absence
  }
}
