#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient

extension SocketCalls {
  /// Whether a process listens on a Unix socket. Never waits.
  ///
  /// True if unknown. The listener sees a connection that is closed at once.
  static func isListening(_ path: String) -> Bool {
    do throws(SystemError) {
      _ = try connect(path)
      return true
    } catch {
      return ![ECONNREFUSED, ENOENT, ENOTSOCK, ENOTDIR].contains(error.code)
    }
  }
}
