#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient
internal import Synchronization

/// How a process ended.
package enum ProcessEnd: Sendable, Hashable, CustomStringConvertible {
  case exited(Int32)
  case signalled(Int32)

  package var description: String {
    switch self {
    case .exited(let status): "exit status \(status)"
    case .signalled(let signal): "signal \(signal) (\(String(cString: strsignal(signal))))"
    }
  }
}

/// A program that could not be spawned.
package struct SpawnError: UserFacingError, Hashable {
  package let program: String
  package let cause: SystemError

  package var message: String {
    let name = program == Host.executable ? "the supervisor (qvm itself)" : program
    return "cannot start \(name): \(cause.explanation)"
  }
  package var advice: String? {
    cause.limit?.advice ?? "Check that it is installed and built for this machine."
  }
}

/// A child process. It inherits only the given descriptors, and is reaped as soon as it exits.
///
/// A thread blocks in `waitid` for each child. A child is signalled only before it is reaped, so a
/// signal can't hit another process that got the same pid.
package final class ChildProcess: Sendable {
  package let pid: Int32
  private let state: Mutex<(end: ProcessEnd?, watchers: [@Sendable (ProcessEnd) -> Void])>

  /// What to spawn, and what it inherits.
  package struct Plan: Sendable {
    /// An absolute path.
    package var executable: String
    /// Without the program's own name.
    package var arguments: [String]
    /// The whole environment, as `NAME=value`; nil for this process's own.
    package var environment: [String]?
    /// Descriptors 0, 1, 2 and so on, in order; nil is /dev/null.
    package var descriptors: [Descriptor?]
    /// Whether it leads a session of its own, which gets no signals of the terminal.
    package var ownSession: Bool
    /// Signals that are blocked in the child until it unblocks them.
    package var blockedSignals: [Signal]

    package init(
      _ executable: String, _ arguments: [String], environment: [String]? = nil,
      descriptors: [Descriptor?] = [nil, nil, nil], ownSession: Bool = false,
      blockedSignals: [Signal] = []
    ) {
      self.executable = executable
      self.arguments = arguments
      self.environment = environment
      self.descriptors = descriptors
      self.ownSession = ownSession
      self.blockedSignals = blockedSignals
    }
  }

  /// Spawns a child.
  ///
  /// - Throws: ``SpawnError`` if the program is missing, not executable or for another
  ///   architecture.
  package init(_ plan: Plan) throws(SpawnError) {
    pid = try Self.spawn(plan)
    state = Mutex((nil, []))
    let reaper: @Sendable () -> Void = { [self] in
      blockUntilEnded()
      // Reap and record the end under one lock, so that `signal(_:)` never uses the pid after
      // reaping.
      let (end, watchers) = state.withLock { state in
        let end = reap()
        state.end = end
        defer { state.watchers = [] }
        return (end, state.watchers)
      }
      for watcher in watchers { watcher(end) }
    }
    if !startThread(reaper) {
      // Without a thread nothing would reap the child, so it must not live.
      kill(pid, SIGKILL)
      var status: Int32 = 0
      waitpid(pid, &status, 0)
      throw SpawnError(
        program: plan.executable, cause: .noThread)
    }
  }

  private func blockUntilEnded() {
    var information = siginfo_t()
    while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
  }

  private func reap() -> ProcessEnd {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 {
      // Other code has reaped it, so its end is unknown.
      if errno != EINTR { return .signalled(SIGKILL) }
    }
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
  }

  // MARK: - The end

  /// How it ended; nil while it runs.
  package var end: ProcessEnd? { state.withLock { $0.end } }

  /// Calls a closure when it has ended, on the reaping thread; at once if it has ended already.
  package func whenEnded(_ body: @escaping @Sendable (ProcessEnd) -> Void) {
    let end = state.withLock { state -> ProcessEnd? in
      if state.end == nil { state.watchers.append(body) }
      return state.end
    }
    if let end { body(end) }
  }

  /// Waits until it has ended or the task is cancelled.
  ///
  /// - Throws: `CancellationError` when the task is cancelled; the child keeps running.
  package func ended() async throws(CancellationError) -> ProcessEnd {
    let mailbox = Mailbox<ProcessEnd>()
    whenEnded { mailbox.send($0) }
    guard let end = await mailbox.next() else { throw CancellationError() }
    return end
  }

  /// Sends a signal, unless it has ended.
  package func signal(_ signal: Signal) {
    state.withLock { state in
      if state.end == nil { kill(pid, signal.rawValue) }
    }
  }
}
