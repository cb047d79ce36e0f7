/// Every way in which talking to QEMU can fail, by whose fault it is.
public enum QMPError: Error, Sendable, Hashable {
  // The way to QEMU.

  /// The path doesn't fit into a socket address: `limit` is 107 bytes on Linux, 103 on macOS.
  case socketPathTooLong(path: String, limit: Int)
  /// No monitor can be reached at the path: `ENOENT`, `ECONNREFUSED` if no process listens, `EACCES`,
  /// `EAGAIN` if other clients fill the monitor's queue.
  case cannotConnect(path: String, SystemError)
  /// The socket failed while in use.
  case transport(SystemError)
  /// QEMU hung up, by end of file or by `ECONNRESET`, which mean the same; `command` is the one
  /// that was waiting for its reply, if any.
  case disconnected(command: String?)
  /// The connection was closed by its owner.
  case closed

  // The protocol.

  /// A line is longer than the client takes, in bytes.
  case lineTooLong(limit: Int)
  /// A line is not JSON, or JSON that QMP doesn't know; `line` is its beginning.
  case notQMP(line: String)
  /// The reply lacks something, or has another type; `path` names the member.
  case unexpectedReply(command: String, path: String)

  // QEMU's own answer.

  /// QEMU refused or failed to carry out a command.
  ///
  /// `errorClass` is one of QEMU's few classes, such as `GenericError` or `CommandNotFound`;
  /// `description` is prose for people, and may change between versions.
  case refused(command: String, errorClass: String, description: String)

  // The caller's time.

  /// No greeting came. QEMU serves one client per monitor: another client is attached to this one,
  /// or QEMU is stopped (`SIGSTOP`) or starting.
  case noGreeting(seconds: Double)
  /// The reply did not come in time. QEMU may still carry the command out; its late reply is
  /// discarded.
  case timedOut(command: String, seconds: Double)
  /// The task was cancelled. QEMU may still carry the command out; its late reply is discarded.
  case cancelled(command: String)
}

extension QMPError {
  /// Whether the connection is over, so that no command will be answered by it any more.
  package var endsConnection: Bool {
    switch self {
    case .transport, .disconnected, .closed, .lineTooLong, .notQMP: true
    case .socketPathTooLong, .cannotConnect, .unexpectedReply, .refused, .noGreeting, .timedOut,
      .cancelled:
      false
    }
  }
}

extension QMPError: CustomStringConvertible {
  /// One sentence for people, with QEMU's or the operating system's own words.
  public var description: String {
    switch self {
    case .socketPathTooLong(let path, let limit):
      "socket path longer than \(limit) bytes: \(path)"
    case .cannotConnect(let path, let error): "cannot connect to \(path): \(error.reason)"
    case .transport(let error): "monitor socket failed: \(error.call): \(error.reason)"
    case .disconnected(let command?): "QEMU hung up before it answered '\(command)'"
    case .disconnected(nil): "QEMU hung up"
    case .closed: "the monitor connection is closed"
    case .lineTooLong(let limit): "QEMU sent a line of more than \(limit) bytes"
    case .notQMP(let line): "not a QMP message: \(line)"
    case .unexpectedReply(let command, let path):
      "QEMU's reply to '\(command)' has no usable '\(path)'"
    case .refused(let command, let errorClass, let description):
      "QEMU refused '\(command)': \(description) (\(errorClass))"
    case .noGreeting(let seconds):
      "no greeting within \(seconds) s: the monitor is busy with another client, or QEMU is stopped"
    case .timedOut(let command, let seconds): "no reply to '\(command)' within \(seconds) s"
    case .cancelled(let command): "'\(command)' was cancelled"
    }
  }
}

extension QMPError {
  /// The same, naming the command that was waiting when QEMU hung up.
  func during(_ command: String) -> QMPError {
    self == .disconnected(command: nil) ? .disconnected(command: command) : self
  }
}
