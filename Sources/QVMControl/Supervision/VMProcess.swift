internal import QMPClient

/// The QEMU that a supervisor watches: its own child, or one that it adopted.
package enum VMProcess: Sendable {
  case child(ChildProcess)
  /// Not a child: its end shows when its lock is free, and its exit status stays unknown. The pid is
  /// nil where no signal can reach it from here.
  case adopted(pid: Int32?, start: UInt64?, hostBootID: String, lockPath: String)

  /// The end as far as it can be known.
  package enum End: Sendable {
    case reaped(ProcessEnd)
    /// With the lock that QEMU held, which no other process has had since; nil if its file is gone.
    case unobserved(FileLock?)
  }

  package var pid: Int32? {
    switch self {
    case .child(let child): child.pid
    case .adopted(let pid, _, _, _): pid
    }
  }

  /// Calls a closure, on some thread, once the process has ended; false where that can't be done.
  package func whenEnded(_ body: @escaping @Sendable (End) -> Void) -> Bool {
    switch self {
    case .child(let child):
      child.whenEnded { body(.reaped($0)) }
      return true
    case .adopted(_, _, _, let lockPath):
      // The kernel says when the last holder of the lock is gone; a thread that blocks costs
      // nothing meanwhile. A process that wants the lock needs the supervisor's first, which the
      // caller holds.
      return startThread { body(.unobserved(try? FileLock.waiting(lockPath))) }
    }
  }

  /// Sends a signal, if the process is still the one that it was; whether it could be sent.
  @discardableResult
  package func signal(_ signal: Signal) -> Bool {
    switch self {
    case .child(let child):
      child.signal(signal)
      return true
    case .adopted(let pid, let start, let hostBootID, _):
      // The pid alone may be another process's by now.
      guard let pid, let start, hostBootID == Host.bootID, Host.startTime(of: pid) == start
      else { return false }
      return Host.signal(signal, to: pid)
    }
  }
}
