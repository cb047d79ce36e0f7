#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A system call that failed: its name and `errno`.
public struct SystemError: Error, Sendable, Hashable {
  /// The call, such as `connect`.
  public let call: String
  /// The value of `errno`.
  public let code: Int32

  /// Creates the failure of a call.
  public init(call: String, code: Int32) {
    self.call = call
    self.code = code
  }

  /// The failure that the last call of this thread left in `errno`.
  package static func last(_ call: String) -> SystemError { SystemError(call: call, code: errno) }

  /// The operating system's own words for the code, such as `Connection refused`.
  public var reason: String { String(cString: strerror(code)) }
}

extension SystemError {
  package var isAbsent: Bool { code == ENOENT }
  package var isRefused: Bool { code == ECONNREFUSED }
  package var isTimeOut: Bool { code == ETIMEDOUT }
  package static let timedOut = ETIMEDOUT
  /// What `write` says when nobody can read any more.
  package static let brokenPipe = SystemError(call: "write", code: EPIPE)
  /// What `pthread_create` says when there is no further thread to be had.
  package static let noThread = SystemError(call: "pthread_create", code: EAGAIN)
}
