import QMPClient
import QVMControl

extension ReleaseClient {
  /// A client for the mirror that the environment names. Its downloads are shown on standard error,
  /// unless it is quiet, and reported to the service manager if there is one.
  static func forTerminal(
    _ cache: Cache, _ notifier: ServiceNotifier? = nil, isQuiet: Bool = false, on loop: EventLoop
  ) throws -> ReleaseClient {
    let display = ProgressDisplay()
    let shown = isQuiet ? .silent : display.reporter
    let reporter = notifier.map { notifier in
      ProgressReporter { label, event in
        shown(label, event)
        notifier.take(label, event)
      }
    }
    return ReleaseClient(
      try ReleaseSource.fromEnvironment(), cache: cache, progress: reporter ?? shown,
      notify: { if !isQuiet { display.notice($0) } }, on: loop)
  }
}
