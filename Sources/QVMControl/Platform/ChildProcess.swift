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

/// A program that could not be started.
package struct SpawnError: UserFacingError, Hashable {
  package let program: String
  package let cause: SystemError

  package var message: String {
    let name = program == Host.executable ? "a supervisor, which is qvm itself" : program
    return "cannot start \(name): \(cause.explanation)"
  }
  package var advice: String? {
    cause.limit?.advice ?? "Check that it is installed and made for this machine."
  }
}

/// A child process: started with exactly the descriptors it is given, reaped as soon as it ends.
///
/// A thread of its own blocks in `waitid`. The process is signalled only while it isn't reaped, so
/// a signal can't hit an unrelated process that got the same pid.
package final class ChildProcess: Sendable {
  package let pid: Int32
  private let state: Mutex<(end: ProcessEnd?, watchers: [@Sendable (ProcessEnd) -> Void])>

  /// What a child gets.
  package struct Plan: Sendable {
    /// An absolute path.
    package var executable: String
    /// Without the program's own name.
    package var arguments: [String]
    /// All of it, as `NAME=value`; nil for this process's own.
    package var environment: [String]?
    /// Descriptors 0, 1, 2 and so on, in order; nil is /dev/null.
    package var descriptors: [Descriptor?]
    /// Whether it leads a session of its own, out of reach of the terminal's signals.
    package var ownSession: Bool
    /// Signals that it doesn't get unless it unblocks them.
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

  /// Starts a child.
  ///
  /// - Throws: ``SpawnError`` where the program is missing, not executable or for another machine.
  package init(_ plan: Plan) throws(SpawnError) {
    pid = try Self.spawn(plan)
    state = Mutex((nil, []))
    let reaper: @Sendable () -> Void = { [self] in
      blockUntilEnded()
      // Reaping and recording are one step for `signal(_:)`: before it the pid is still ours.
      let (end, watchers) = state.withLock { state in
        let end = reap()
        state.end = end
        defer { state.watchers = [] }
        return (end, state.watchers)
      }
      for watcher in watchers { watcher(end) }
    }
    if !startThread(reaper) {
      // Without a thread the child could not be watched: better none than one that leaks.
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
      // Somebody else reaped it: then nothing is known of how it ended.
      if errno != EINTR { return .signalled(SIGKILL) }
    }
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
  }

  // MARK: - The end

  /// How it ended; nil while it lives.
  package var end: ProcessEnd? { state.withLock { $0.end } }

  /// Calls a closure once it has ended, on the thread that noticed; at once if it has already.
  package func whenEnded(_ body: @escaping @Sendable (ProcessEnd) -> Void) {
    let end = state.withLock { state -> ProcessEnd? in
      if state.end == nil { state.watchers.append(body) }
      return state.end
    }
    if let end { body(end) }
  }

  /// Waits for the end, and no longer than the task lives.
  ///
  /// - Throws: `CancellationError` when the task is cancelled; the child lives on.
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
