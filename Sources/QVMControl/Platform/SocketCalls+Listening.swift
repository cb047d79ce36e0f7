#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient

extension SocketCalls {
  /// Whether somebody listens on a Unix socket; never waits.
  ///
  /// Where that can't be told, somebody may. Whoever listens sees a connection that ends at once.
  static func isListening(_ path: String) -> Bool {
    do throws(SystemError) {
      _ = try connect(path)
      return true
    } catch {
      return ![ECONNREFUSED, ENOENT, ENOTSOCK, ENOTDIR].contains(error.code)
    }
  }
}
