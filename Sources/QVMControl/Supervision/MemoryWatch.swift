/// Finds out whether the kernel killed QEMU because memory was short (the OOM killer).
struct MemoryWatch: Sendable {
  private let group: MemoryGroup?
  /// How many processes of the group the kernel had killed at the beginning.
  private let before: Int?

  /// Begins to watch a group of processes.
  init(_ group: MemoryGroup?) {
    self.group = group
    before = group?.kills
  }

  /// Whether the kernel killed a process.
  ///
  /// - Parameters:
  ///   - pid: A process that was ended by a SIGKILL which qvm has not sent.
  ///   - start: The time of its start, in the kernel's unit.
  /// - Returns: The kill; nil if the kernel does not report that memory was the cause.
  func verdict(on pid: Int32, start: UInt64?) -> Outcome.MemoryKill? {
    let kill = Outcome.MemoryKill(limit: group?.limit)
    // The kernel's log is better evidence than the group's counter, because it names the process. But
    // only some users may read it.
    if let start, Host.countsAsKernel, let killed = KernelLog.kills(since: start) {
      if killed.contains(pid) { return kill }
      if !killed.isEmpty { return nil }
    }
    guard let before, let now = group?.kills else { return nil }
    return now > before ? kill : nil
  }
}
