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

/// What a wait reports while it lasts.
struct WaitRemarks: Sendable {
  let wait: InstanceWait
  let condition: WaitCondition
  /// The instance's status when the wait began.
  let status: VMStatus

  /// Reports what is still missing, at growing intervals, until the task is cancelled.
  func report(_ say: @Sendable (String) -> Void) async {
    let start = SuspendingClock.now
    var due = Duration.zero
    while true {
      due = wait.remarkTimes.next(after: due)
      guard (try? await wait.loop.sleep(until: start.advanced(by: due))) != nil else { return }
      // If the VM has ended meanwhile, the result says so instead.
      guard let signs = try? await Liveness.look(wait.name, wait.store) else { continue }
      let text = remark(after: due, signs: signs.sentence())
      if Task.isCancelled { return }
      say(text)
    }
  }

  private func remark(after time: Duration, signs: String) -> String {
    let seconds = Int(time.inSeconds)
    let span = seconds < 60 ? "\(seconds) s" : "\(seconds / 60) min"
    let lack = absence.map { "\($0); " } ?? ""
    let head = "still waiting until \(condition.state(of: wait.name)), for \(span): \(lack)\(signs)"
    guard let last = wait.tail(1).last else { return head }
    return head + "\n     the last line of its console: \(last)"
  }

  /// What is missing, in more detail than the condition; nil before QEMU runs.
  private var absence: String? {
    guard condition == .ready, let target = status.record?.target,
      let boot = wait.files.bootRecord
    else { return nil }
    return ReadySign(of: target, boot, wait.files, consoleOffset: boot.consoleOffset)?.absence
  }
}
