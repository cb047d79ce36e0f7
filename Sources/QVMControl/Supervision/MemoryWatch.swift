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
  ///   - pid: The process that was killed by SIGKILL, which nobody here had sent.
  ///   - start: When it had started, in the kernel's own unit.
  /// - Returns: Nil where the kernel doesn't say that it was for want of memory.
  func verdict(on pid: Int32, start: UInt64?) -> Outcome.MemoryKill? {
    if let before, let now = group?.kills {
      return now > before ? Outcome.MemoryKill(limit: group?.limit) : nil
    }
    guard let start, KernelLog.toldOfKill(of: pid, since: start) == true else { return nil }
    return Outcome.MemoryKill(limit: group?.limit)
  }
}
