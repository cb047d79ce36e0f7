package import QMPClient

/// Connects to the guest for ssh, as its `ProxyCommand`: ssh spawns this executable.
///
/// A server that is busy with logins closes further connections before its greeting (`MaxStartups`
/// of OpenSSH, a few in dropbear). A server that is being stopped does so too. QEMU accepts all
/// connections first. Nothing has run then, so the connection is retried. Once the server has sent
/// its greeting, it accepts the connection. ssh gets that connection, with the greeting unread.
package struct SSHDialer: Sendable {
  /// The command by which ssh runs this executable.
  package static let command = "__dial"

  /// Why there is no connection.
  package enum Failure: UserFacingError, Hashable {
    /// No process listens, or a system call failed.
    case unreachable(SystemError)
    case silent(seconds: Int)
    case refused(times: Int, seconds: Int)
    /// ssh has exited.
    case unwanted

    package var message: String {
      switch self {
      case .unreachable(let cause): "cannot connect to the guest's ssh server: \(cause.explanation)"
      case .silent(let seconds): "the guest's ssh server did not respond within \(seconds) s"
      case .refused(let times, let seconds):
        "the guest's ssh server closed \(times) connections before login within \(seconds) s"
      case .unwanted: "ssh has exited"
      }
    }
    package var advice: String? {
      guard case .refused = self else { return nil }
      return "Open fewer connections at once, or allow more time with --ready-timeout."
    }
  }

  let address: String
  let port: Int
  /// How long the server may say nothing at all, over all connections.
  var silence = Duration.seconds(60)
  /// How long the first connection may stay silent before another one replaces it; each later one may
  /// for half as long again. Of many connections at once QEMU can take one that the guest never sees, and
  /// a new one is then answered at once.
  var firstSilence = Duration.seconds(5)
  /// How long to retry closed connections. There is always one attempt.
  var retryTime: Duration
  /// The socket to ssh. It delivers nothing; its end of file ends the attempts.
  var client: Int32

  private static let pauses = (first: Duration.milliseconds(100), longest: Duration.seconds(2))

  /// The arguments for ``run(_:)``, after the program's name.
  static func arguments(address: String, port: Int, silence: Duration, retryTime: Duration)
    -> [String]
  {
    [
      command, address, String(port), String(Int(silence.inSeconds)),
      String(Int(retryTime.inSeconds)),
    ]
  }

  /// Makes the connection. Returns the exit status of the process.
  package static func run(_ arguments: [String]) -> Int32 {
    guard arguments.count == 4, let port = Int(arguments[1]), let silence = Int(arguments[2]),
      let retryTime = Int(arguments[3])
    else { return ExitStatus.usage.rawValue }
    let dialer = SSHDialer(
      address: arguments[0], port: port, silence: .seconds(silence), retryTime: .seconds(retryTime),
      client: 1)
    do throws(Failure) {
      let connection = try dialer.dial()
      do throws(SystemError) { try SocketCalls.pass(connection.number, to: 1) } catch {
        throw .unreachable(error)
      }
      return 0
    } catch {
      if error != .unwanted {
        let text = ["qvm: \(error.message)"] + (error.advice.map { ["     \($0)"] } ?? [])
        _ = Files.writeSome(Array((text.joined(separator: "\n") + "\n").utf8)[...], to: 2)
      }
      return 1
    }
  }

  /// Connects until a server greets.
  ///
  /// - Returns: The connection, with the greeting to be read.
  /// - Throws: ``Failure``.
  func dial() throws(Failure) -> Descriptor {
    let begin = SuspendingClock.now
    var pause = Self.pauses.first
    var times = 0
    var quiet = firstSilence
    var lastAnswer = begin
    while true {
      let end = lastAnswer.advanced(by: silence)
      switch try attempt(until: min(end, .now.advanced(by: quiet))) {
      case .greeted(let connection): return connection
      case .silent:
        if SuspendingClock.now >= end { throw .silent(seconds: Int(silence.inSeconds)) }
        quiet = quiet * 1.5
        continue
      case .closed: lastAnswer = .now
      }
      times += 1
      // Random, so that connections that were refused together don't retry together.
      let next = SuspendingClock.now.advanced(by: pause * Double.random(in: 0.5...1.5))
      let waited = begin.duration(to: next)
      guard waited <= retryTime else {
        throw .refused(times: times, seconds: Int(begin.duration(to: .now).inSeconds))
      }
      if SocketCalls.wait(client, for: .read, until: next) { throw .unwanted }
      pause = min(pause * 1.5, Self.pauses.longest)
    }
  }

  private enum Answer {
    case greeted(Descriptor)
    /// The connection was closed before a greeting.
    case closed
    case silent
  }

  private func attempt(until deadline: SuspendingClock.Instant) throws(Failure) -> Answer {
    let connection: Descriptor
    do throws(SystemError) {
      connection = try NetworkPort.connect(to: address, port: port)
    } catch {
      throw .unreachable(error)
    }
    let greeting = Array("SSH-".utf8)
    while true {
      let ready = SocketCalls.readable([connection.number, client], until: deadline)
      if ready.contains(1) { throw .unwanted }
      if ready.isEmpty { return .silent }
      switch SocketCalls.peek(connection.number, atMost: 512) {
      case .bytes(let bytes):
        if bytes.starts(with: greeting) { return .greeted(connection) }
        if greeting.starts(with: bytes) {
          // Wait for the rest for a moment: poll(2) would return at once because of the bytes that
          // are there.
          let soon = SuspendingClock.now.advanced(by: .milliseconds(20))
          if SocketCalls.wait(client, for: .read, until: soon) { throw .unwanted }
          if SuspendingClock.now >= deadline { return .silent }
          continue
        }
        // A server may send other lines first (RFC 4253, 4.2), such as a reason for refusing.
        let line = bytes.firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
        _ = SocketCalls.receive(connection.number, atMost: line)
      case .wouldBlock: continue
      case .closed: return .closed
      case .failed(let error): throw .unreachable(error)
      }
    }
  }
}
