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

  /// The failure in `errno`, of this thread's last call.
  package static func last(_ call: String) -> SystemError { SystemError(call: call, code: errno) }

  /// The operating system's own words for the code, such as `Connection refused`.
  public var reason: String { String(cString: strerror(code)) }
}

extension SystemError {
  package var isAbsent: Bool { code == ENOENT }
  package var isRefused: Bool { code == ECONNREFUSED }
  /// The queue of a listening Unix socket is full.
  package var isQueueFull: Bool { call == "connect" && code == EAGAIN }
  /// The error of `write` when the read end is closed.
  package static let brokenPipe = SystemError(call: "write", code: EPIPE)
  /// The error of `pthread_create` when no more threads are available.
  package static let noThread = SystemError(call: "pthread_create", code: EAGAIN)
}
