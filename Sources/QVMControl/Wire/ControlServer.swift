package import QMPClient

/// The supervisor's side of `control.sock`: it receives requests from many clients and sends events.
///
/// It reads a client's next request only after the last one was answered and the kernel has taken the
/// answer. So a client that sends without end and never reads fills its own socket, not this memory.
package actor ControlServer {
  package struct ClientID: Sendable, Hashable {
    fileprivate let number: Int
  }

  private struct Client {
    let socket: LineSocket
    var wantsEvents: Bool
  }

  private let loop: EventLoop
  /// The token of the boot, which each line carries.
  private let boot: String
  private let receive: @Sendable (ControlRequest, ClientID) -> Void
  private let lost: @Sendable (ClientID) -> Void
  private var listener: Descriptor?
  private var listening: EventLoop.Token?
  private var clients: [Int: Client] = [:]
  private var nextClient = 0

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    loop.asUnownedSerialExecutor()
  }

  /// Creates a server without clients.
  ///
  /// - Parameters:
  ///   - boot: The token of this boot; requests for another are refused.
  ///   - loop: The loop that reads the clients.
  ///   - receive: Called on the loop with each request; call ``done(_:)`` after each.
  ///   - lost: Called on the loop when a client is gone.
  package init(
    of boot: String, on loop: EventLoop,
    receive: @escaping @Sendable (ControlRequest, ClientID) -> Void,
    lost: @escaping @Sendable (ClientID) -> Void
  ) {
    self.boot = boot
    self.loop = loop
    self.receive = receive
    self.lost = lost
  }

  /// Begins to accept clients at a path, at which there must be no file yet.
  package func listen(at path: String) throws(SystemError) {
    let listener = try SocketCalls.listen(path)
    self.listener = listener
    watchListener()
  }

  private func acceptClients() {
    guard let listener else { return }
    var isEmpty = true
    while let descriptor = SocketCalls.accept(on: listener) {
      isEmpty = false
      _ = add(descriptor, received: [], wantsEvents: false)
    }
    // A client waits, and no descriptor is free to accept it. An immediate retry would spin.
    if isEmpty { pauseListening() }
  }

  private func pauseListening() {
    if let listening { loop.cancel(listening) }
    listening = loop.schedule(at: .now.advanced(by: .milliseconds(100))) { [weak self] in
      self?.assumeIsolated { $0.watchListener() }
    }
  }

  private func watchListener() {
    guard let listener else { return }
    listening = loop.watch(listener.number, for: .read) { [weak self] in
      self?.assumeIsolated { $0.acceptClients() }
    }
  }

  /// Adds a client that is connected already.
  package func add(
    _ descriptor: Descriptor, received: [UInt8], wantsEvents: Bool
  ) -> ClientID {
    let number = nextClient
    nextClient += 1
    let socket = LineSocket(descriptor, received: received, on: loop) { [weak self] input in
      self?.assumeIsolated { $0.handle(input, from: number) }
    }
    clients[number] = Client(socket: socket, wantsEvents: wantsEvents)
    socket.assumeIsolated { $0.start() }
    return ClientID(number: number)
  }

  private func handle(_ input: LineSocket.Input, from number: Int) {
    let id = ClientID(number: number)
    switch input {
    case .line(let json):
      if let meant = json["boot"]?.string, meant != boot {
        send(["error": "another boot"], to: id)
      } else if let request = ControlRequest(json) {
        clients[number]?.socket.assumeIsolated { $0.pause() }
        receive(request, id)
      } else {
        send(["error": "unknown request"], to: id)
      }
    case .ended:
      clients[number] = nil
      lost(id)
    }
  }

  /// From now on the client gets the events.
  package func subscribe(_ id: ClientID) { clients[id.number]?.wantsEvents = true }

  package func send(_ json: JSONValue, to id: ClientID) {
    let json = marked(json)
    clients[id.number]?.socket.assumeIsolated { $0.send(json) }
  }

  /// The client's request was answered; the next one may come.
  package func done(_ id: ClientID) {
    clients[id.number]?.socket.assumeIsolated { $0.resume() }
  }

  private func marked(_ json: JSONValue) -> JSONValue {
    guard var object = json.object else { return json }
    object["boot"] = .string(boot)
    return .object(object)
  }

  /// Sends an event to all subscribed clients.
  package func broadcast(_ event: ControlEvent) {
    let json = marked(event.json)
    for client in clients.values where client.wantsEvents {
      client.socket.assumeIsolated { $0.send(json) }
    }
  }

  /// Accepts no more clients; the present ones stay connected.
  package func stopListening() {
    if let listening { loop.cancel(listening) }
    listening = nil
    listener = nil
  }
}
