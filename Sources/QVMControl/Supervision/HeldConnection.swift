internal import QMPClient

/// The ssh connection to the guest that commands use one after the other, so that not each needs a login of
/// its own: ssh's `ControlMaster`. It is made when a command asks for it.
///
/// A command that comes while another one uses it connects by itself. Of four commands at once over one
/// connection to dropbear 2022.83, some lose their output and their status, and with eight the connection
/// breaks.
///
/// What keeps it is a session of its own, in which `cat` runs until its input ends. So the connection
/// ends after the supervisor, even if that is killed, as soon as the commands that use it have ended.
///
/// To be used on the supervisor's loop.
struct HeldConnection {
  /// What has become of the connection.
  enum Report: Sendable {
    case made
    case ended
    /// No command has used it for a while.
    case idle
  }

  private enum State {
    case none
    case connecting(Link)
    case made(Link)
    /// The login failed without asking the user; it would fail again.
    case refused
  }

  private struct Link {
    let process: ChildProcess
    let socket: LineSocket
  }

  /// How long the login may take: after that, commands connect by themselves.
  private static let connectTime = Duration.seconds(30)
  /// How long the connection stays without a command.
  private static let idleTime = Duration.seconds(300)
  /// How long ssh may take to exit.
  private static let grace = Duration.seconds(1)

  private var state = State.none
  /// Counts the connections: a report of an earlier one says nothing any more.
  private var number = 0
  private var user: ControlServer.ClientID?
  /// Whether the user doesn't know yet that it may use the connection.
  private var isWaiting = false
  private var timer: EventLoop.Token?
  private let inputs: Mailbox<Supervisor.Input>
  private let loop: EventLoop

  /// - Parameters:
  ///   - inputs: The supervisor's.
  ///   - loop: The loop that the supervisor is on.
  init(inputs: Mailbox<Supervisor.Input>, on loop: EventLoop) {
    self.inputs = inputs
    self.loop = loop
  }

  /// A client asks for the connection, and uses it until it is gone.
  ///
  /// - Parameters:
  ///   - id: The client.
  ///   - ssh: How the guest is reached; nil if it can't be.
  ///   - files: The instance's files.
  /// - Returns: Whether the client may use the connection; nil if that is not known yet.
  mutating func ask(
    _ id: ControlServer.ClientID, _ ssh: GuestSSH?, _ files: InstanceFiles?
  ) -> Bool? {
    guard let ssh, let files, user == nil else { return false }
    switch state {
    case .refused: return false
    case .made:
      user = id
      cancelTimer()
      return true
    case .none:
      guard connect(ssh, files) else { return false }
    case .connecting: break
    }
    user = id
    isWaiting = true
    return nil
  }

  /// A client is gone.
  mutating func leave(_ id: ControlServer.ClientID) {
    guard id == user else { return }
    user = nil
    isWaiting = false
    guard case .made = state else { return }
    schedule(.idle, after: Self.idleTime)
  }

  /// Takes in a report; the client that hears now whether it may use the connection.
  mutating func take(
    _ report: Report, of number: Int
  ) -> (client: ControlServer.ClientID, mayUse: Bool)? {
    guard number == self.number else { return nil }
    switch (report, state) {
    case (.made, .connecting(let link)):
      state = .made(link)
      cancelTimer()
      if user == nil { schedule(.idle, after: Self.idleTime) }
      return takeWaiting().map { ($0, true) }
    case (.ended, .connecting):
      stop()
      state = .refused
      defer { user = nil }
      return takeWaiting().map { ($0, false) }
    case (.ended, .made): stop()
    case (.idle, .made): if user == nil { stop() }
    default: break
    }
    return nil
  }

  /// Ends the connection and the command that uses it. A later command gets a new one.
  ///
  /// - Returns: The client that waited for it.
  mutating func end() -> ControlServer.ClientID? {
    stop()
    return takeWaiting()
  }

  /// Returns when the ssh of a connection that was stopped has exited.
  static func untilExited(_ process: ChildProcess, on loop: EventLoop) async {
    let token = loop.schedule(at: .now.advanced(by: grace)) { process.signal(.kill) }
    _ = try? await process.ended()
    loop.cancel(token)
  }

  /// Spawns ssh; false if that fails.
  private mutating func connect(_ ssh: GuestSSH, _ files: InstanceFiles) -> Bool {
    // Of a supervisor that was killed. ssh would take it for a connection that is there.
    try? Files.remove(files.sharedConnection)
    number += 1
    let (inputs, number) = (inputs, number)
    let line = LoginShell.line(running: #"echo '"\#(Self.greeting)"'; exec cat"#)
    let arguments = ssh.arguments(
      [line], options: ["-o", "BatchMode=yes"], retryingFor: Self.connectTime,
      silence: Self.connectTime, route: .sharing)
    do {
      let (ours, theirs) = try SocketCalls.pair()
      let process = try ChildProcess(
        .init(ssh.program, arguments, descriptors: [theirs, theirs, nil], ownSession: true))
      let socket = LineSocket(ours, on: loop) { input in
        switch input {
        case .line(let json):
          if json.string == Self.greeting { inputs.send(.heldConnection(.made, number)) }
        case .ended: inputs.send(.heldConnection(.ended, number))
        }
      }
      socket.assumeIsolated { $0.start() }
      state = .connecting(Link(process: process, socket: socket))
      schedule(.ended, after: Self.connectTime)
      return true
    } catch {
      return false
    }
  }

  /// What the guest prints once the login was accepted.
  private static let greeting = "connected"

  /// Ends the connection.
  ///
  /// - Returns: Its ssh, which exits soon; nil if there was none.
  @discardableResult
  mutating func stop() -> ChildProcess? {
    cancelTimer()
    number += 1
    defer { state = .none }
    switch state {
    case .connecting(let link), .made(let link):
      link.socket.assumeIsolated { $0.close() }
      link.process.signal(.terminate)
      return link.process
    case .none, .refused: return nil
    }
  }

  private mutating func takeWaiting() -> ControlServer.ClientID? {
    defer { isWaiting = false }
    return isWaiting ? user : nil
  }

  private mutating func schedule(_ report: Report, after time: Duration) {
    cancelTimer()
    let (inputs, number) = (inputs, number)
    timer = loop.schedule(at: .now.advanced(by: time)) {
      inputs.send(.heldConnection(report, number))
    }
  }

  private mutating func cancelTimer() {
    if let timer { loop.cancel(timer) }
    timer = nil
  }
}
