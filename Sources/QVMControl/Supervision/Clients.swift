internal import QMPClient

/// The clients of `control.sock`, and what they were told.
///
/// To be used on the server's loop.
struct Clients: Sendable {
  private let server: ControlServer
  /// The client that started the VM: while it holds the connection without having detached, the VM
  /// lives no longer than it does.
  var lease: ControlServer.ClientID?
  private(set) var phase: Phase
  private(set) var phaseReason: String?
  /// Whether they were told that the guest executes.
  private(set) var isAnnounced = false
  /// Whether a client has been let in by `control.sock`, or could have been.
  private(set) var hasListened = false

  /// - Parameters:
  ///   - server: The server that has them.
  ///   - phase: The VM's phase.
  ///   - reason: Why it is in that.
  init(of server: ControlServer, phase: Phase, reason: String?) {
    self.server = server
    self.phase = phase
    phaseReason = reason
  }

  // MARK: - All of them

  func broadcast(_ event: ControlEvent) { server.assumeIsolated { $0.broadcast(event) } }

  func notify(_ text: String) { broadcast(.notice(text)) }

  /// Writes to the supervisor's log, too.
  func notifyAndLog(_ text: String) {
    SupervisorLog.write(text)
    notify(text)
  }

  /// Reports the phase, if it has changed.
  mutating func setPhase(_ phase: Phase, reason: String? = nil) {
    guard (self.phase, phaseReason) != (phase, reason) else { return }
    self.phase = phase
    phaseReason = reason
    broadcast(.phase(phase, reason: reason))
  }

  /// Keeps the rung for the status; it is reported by itself.
  mutating func noteRung(_ rung: ShutdownRung) {
    if phase == .stopping { phaseReason = rung.name }
  }

  /// Whether they were not yet told that the guest executes; they are from now on.
  mutating func announce() -> Bool {
    defer { isAnnounced = true }
    return !isAnnounced
  }

  // MARK: - One of them

  /// Takes in the client that started this process; it has the lease.
  mutating func addLauncher(_ descriptor: Descriptor, received: [UInt8]) {
    lease = server.assumeIsolated {
      $0.add(descriptor, received: received, wantsEvents: true)
    }
  }

  func send(_ json: JSONValue, to id: ControlServer.ClientID) {
    server.assumeIsolated { $0.send(json, to: id) }
  }

  func sendPhase(to id: ControlServer.ClientID) {
    send(ControlEvent.phase(phase, reason: phaseReason).json, to: id)
  }

  /// From now on the client gets the events.
  func subscribe(_ id: ControlServer.ClientID) { server.assumeIsolated { $0.subscribe(id) } }

  /// The client's request was answered; the next one may come.
  func done(_ id: ControlServer.ClientID) { server.assumeIsolated { $0.done(id) } }

  // MARK: - New ones

  /// Notes that clients are let in from now on, whether or not that succeeds.
  mutating func beginListening() { hasListened = true }

  /// Accepts clients at a path where nothing is.
  func listen(at path: String) throws { try server.assumeIsolated { try $0.listen(at: path) } }

  /// Accepts no more clients; those that are there stay.
  func stopListening() { server.assumeIsolated { $0.stopListening() } }
}
