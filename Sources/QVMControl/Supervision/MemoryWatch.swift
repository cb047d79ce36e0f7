/// Tells whether the kernel killed QEMU for want of memory.
struct MemoryWatch: Sendable {
  private let group: MemoryGroup?
  /// How many the kernel had killed when this began.
  private let before: Int?

  /// Begins to watch a group of processes.
  init(_ group: MemoryGroup?) {
    self.group = group
    before = group?.kills
  }

  /// What the kernel says of a process that was killed.
  ///
  /// - Parameters:
  ///   - pid: The process that was killed by SIGKILL, which this process had not sent.
  ///   - start: When it had started, in the kernel's own unit.
  /// - Returns: Nil where the kernel doesn't say that it was for want of memory.
  func verdict(on pid: Int32, start: UInt64?) -> Outcome.MemoryKill? {
    let kill = Outcome.MemoryKill(limit: group?.limit)
    // Its log names the process, a group's count doesn't.
    if let start, Host.countsAsKernel, let killed = KernelLog.kills(since: start) {
      if killed.contains(pid) { return kill }
      if !killed.isEmpty { return nil }
    }
    guard let before, let now = group?.kills else { return nil }
    return now > before ? kill : nil
  }
}
