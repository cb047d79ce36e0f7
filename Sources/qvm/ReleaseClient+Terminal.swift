import QMPClient
import QVMControl

extension ReleaseClient {
  /// A client for the mirror that the environment names, whose downloads show on standard error,
  /// and to the service manager where there is one.
  static func forTerminal(
    _ cache: Cache, _ notifier: ServiceNotifier? = nil, on loop: EventLoop
  ) throws -> ReleaseClient {
    let display = ProgressDisplay()
    let shown = display.reporter
    let reporter = notifier.map { notifier in
      ProgressReporter { label, event in
        shown(label, event)
        notifier.take(label, event)
      }
    }
    return ReleaseClient(
      try ReleaseSource.fromEnvironment(), cache: cache, progress: reporter ?? shown,
      notify: { display.notice($0) }, on: loop)
  }
}
