package import QMPClient

/// Makes the connection for ssh, as its `ProxyCommand`: this executable, started by ssh.
///
/// A server that is busy with logins closes further connections before its greeting (`MaxStartups`
/// of OpenSSH, a handful in dropbear), and so does one that a guest has just ended; QEMU takes all of
/// them first. Nothing has run then, so it is tried again. A connection on which the server has
/// greeted is let in: ssh gets that very one, with the greeting still to be read.
package struct SSHDialer: Sendable {
  /// The word that makes this executable one.
  package static let command = "__dial"

  /// No connection came about.
  package enum Failure: UserFacingError, Hashable {
    /// Nobody listens, or the system has no means for it.
    case unreachable(SystemError)
    case silent(seconds: Int)
    case refused(times: Int, seconds: Int)
    /// Whoever wanted it is gone.
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
  /// How long a connection may take to greet.
  var silence = Duration.seconds(60)
  /// How long connections that are closed are replaced; there is one in any case.
  var patience: Duration
  /// The socket to whoever wants the connection; it says nothing, and its end ends the tries.
  var client: Int32

  private static let pauses = (first: Duration.milliseconds(100), longest: Duration.seconds(2))

  /// The words after the program's name that ``run(_:)`` takes.
  static func words(address: String, port: Int, silence: Duration, patience: Duration) -> [String] {
    [
      command, address, String(port), String(Int(silence.inSeconds)),
      String(Int(patience.inSeconds)),
    ]
  }

  /// Does what ssh started this for; the exit status of the process.
  package static func run(_ words: [String]) -> Int32 {
    guard words.count == 4, let port = Int(words[1]), let silence = Int(words[2]),
      let patience = Int(words[3])
    else { return ExitStatus.usage.rawValue }
    let dialer = SSHDialer(
      address: words[0], port: port, silence: .seconds(silence), patience: .seconds(patience),
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
    while true {
      if let connection = try attempt() { return connection }
      times += 1
      // Those that were turned away together don't come back together.
      let next = SuspendingClock.now.advanced(by: pause * Double.random(in: 0.5...1.5))
      let waited = begin.duration(to: next)
      guard waited <= patience else {
        throw .refused(times: times, seconds: Int(begin.duration(to: .now).inSeconds))
      }
      if SocketCalls.wait(client, for: .read, until: next) { throw .unwanted }
      pause = min(pause * 1.5, Self.pauses.longest)
    }
  }

  /// One connection; nil where it was closed before a greeting.
  private func attempt() throws(Failure) -> Descriptor? {
    let connection: Descriptor
    do throws(SystemError) {
      connection = try NetworkPort.connect(to: address, port: port)
    } catch {
      throw .unreachable(error)
    }
    let deadline = SuspendingClock.now.advanced(by: silence)
    let greeting = Array("SSH-".utf8)
    while true {
      let ready = SocketCalls.readable([connection.number, client], until: deadline)
      if ready.contains(1) { throw .unwanted }
      if ready.isEmpty { throw .silent(seconds: Int(silence.inSeconds)) }
      switch SocketCalls.peek(connection.number, atMost: 512) {
      case .bytes(let bytes):
        if bytes.starts(with: greeting) { return connection }
        if greeting.starts(with: bytes) {
          // The rest is on its way, and what is there wakes nobody.
          let soon = SuspendingClock.now.advanced(by: .milliseconds(20))
          if SocketCalls.wait(client, for: .read, until: soon) { throw .unwanted }
          if SuspendingClock.now >= deadline { throw .silent(seconds: Int(silence.inSeconds)) }
          continue
        }
        // A server may say something before (RFC 4253, 4.2), such as why it lets nobody in.
        let line = bytes.firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
        _ = SocketCalls.receive(connection.number, atMost: line)
      case .wouldBlock: continue
      case .closed: return nil
      case .failed(let error): throw .unreachable(error)
      }
    }
  }
}
