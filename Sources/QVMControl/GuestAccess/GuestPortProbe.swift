internal import QMPClient

/// Asks a guest whether a program listens on one of its TCP ports.
///
/// From outside nothing shows that: QEMU's user network accepts each connection to a forwarded port at once.
struct GuestPortProbe: Sendable {
  /// 1 to 65535.
  let port: Int

  enum Answer: Sendable, Hashable {
    case listening
    /// Nothing has listened for the time of one question.
    case notYet
    /// The guest has no list of its ports.
    case unknown
    /// ssh's words.
    case denied(String)
    /// The connection was lost, or could not be made.
    case lost
  }

  private static let notYet: Int32 = 4
  private static let unknown: Int32 = 3
  /// How long one question may take, in tenths of a second, as the guest counts.
  private static let patience = 400
  /// How long it may take with the login.
  private static let limit = Duration.seconds(180)
  /// The timeout for the connection, in seconds.
  private static let connectTime = 10

  /// Linux has a list that needs no program, the other systems have netstat. The list is read again and
  /// again in one session, until something listens or the session is gone, which a write shows.
  private var script: String {
    let hexadecimal = String(port, radix: 16, uppercase: true)
    let padded = String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
    return #"""
      if [ -r /proc/net/tcp ]; then
        listens() {
          cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ own _ state _; do
            case $own.$state in *:\#(padded).0A) echo yes; break ;; esac
          done
        }
      elif PATH=$PATH:/usr/sbin:/usr/bin:/sbin && command -v netstat >/dev/null; then
        listens() { netstat -an 2>/dev/null | grep -E '[.:]\#(port)[[:space:]].*(LISTEN|listen)'; }
      else
        exit \#(Self.unknown)
      fi
      n=0
      while [ -z "$(listens)" ]; do
        [ $n -lt \#(Self.patience) ] || exit \#(Self.notYet)
        echo || exit
        if sleep 0.3 2>/dev/null; then n=$((n+3)); else sleep 1; n=$((n+10)); fi
      done
      """#
  }

  /// Asks once, for at most a minute or so.
  ///
  /// - Throws: ``SpawnError``; `CancellationError`.
  func ask(by ssh: GuestSSH, on loop: EventLoop) async throws -> Answer {
    let arguments = ssh.arguments(
      [LoginShell.line(running: script)], options: ["-o", "BatchMode=yes"],
      retryingFor: .seconds(Self.connectTime))
    let output = try await Subprocess.run(
      ssh.program, arguments, within: Self.limit, on: loop)
    switch output.end {
    case .exited(0): return .listening
    case .exited(Self.notYet): return .notYet
    case .exited(Self.unknown): return .unknown
    default:
      return output.problem.contains("Permission denied (") ? .denied(output.problem) : .lost
    }
  }
}

/// A port of a guest that can't be asked about.
package enum GuestPortError: UserFacingError, Hashable {
  case unknown(name: String)
  case denied(name: String, why: String)

  package var message: String {
    switch self {
    case .unknown(let name):
      "the guest of '\(name)' cannot say which ports are open: it has neither netstat nor /proc/net/tcp"
    case .denied(let name, let why):
      "the guest of '\(name)' cannot be asked which ports are open: \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .unknown: "'qvm wait --for ready' waits for its ssh server."
    case .denied(let name, _): "'qvm ssh \(name)' must be able to log in without a password."
    }
  }
}
