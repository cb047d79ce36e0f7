import QMPClient
import QVMControl

extension ReleaseClient {
  /// A client for the mirror that the environment names, whose downloads show on standard error
  /// unless it is quiet.
  static func forTerminal(
    _ cache: Cache, isQuiet: Bool = false, on loop: EventLoop
  ) throws -> ReleaseClient {
    if isQuiet {
      return ReleaseClient(
        try ReleaseSource.fromEnvironment(), cache: cache, progress: .silent, notify: { _ in },
        on: loop)
    }
    let display = ProgressDisplay()
    return ReleaseClient(
      try ReleaseSource.fromEnvironment(), cache: cache, progress: display.reporter,
      notify: { display.notice($0) }, on: loop)
  }
}
