import QMPClient
import QVMControl

extension ReleaseClient {
  /// A client for the mirror that the environment names, whose downloads show on standard error.
  static func forTerminal(_ cache: Cache, on loop: EventLoop) throws -> ReleaseClient {
    let display = ProgressDisplay()
    return ReleaseClient(
      try ReleaseSource.fromEnvironment(), cache: cache, progress: display.reporter,
      notify: { display.notice($0) }, on: loop)
  }
}
