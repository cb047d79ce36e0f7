/// A connection to QEMU's monitor.
///
/// ```swift
/// try await QMPClient.withConnection(path: "/run/vm/monitor.sock") { client in
///   print(try await client.execute(QueryStatus()).status)
/// }
/// ```
///
/// Many tasks may execute commands at the same time: each reply goes to its caller by id. Every
/// wait ends when its task is cancelled, its deadline passes or QEMU hangs up.
public actor QMPClient {
  /// How many of the latest events are kept for the first subscriber.
  public static let mostEarlyEvents = 256

  /// A longer line, in bytes, ends the connection. The longest known line of QEMU's, the reply to
  /// `query-qmp-schema`, has about 207,000.
  public static let longestLine = 16 << 20

  /// A caller that waits for a reply.
  private struct Caller {
    let continuation: CheckedContinuation<Result<JSONValue, QMPError>, Never>
    let timer: EventLoop.Token?
  }

  let loop: EventLoop
  let transport: any QMPTransport
  var session = QMPSession()
  private var framer = LineFramer(limit: QMPClient.longestLine)
  private var callers: [Int: Caller] = [:]
  var greeter:
    (
      continuation: CheckedContinuation<Result<QMPGreeting, QMPError>, Never>,
      timer: EventLoop.Token
    )?
  private var subscribers: [Mailbox<QMPEvent>] = []
  /// The events before the first subscription; nil after it.
  private var earlyEvents: [QMPEvent]? = []

  /// Why the connection ended: `closed`, `disconnected`, a failed socket or invalid input. Nil
  /// while it is open.
  public private(set) var ending: QMPError?

  /// QEMU's greeting; never nil on a client that `connect` has returned.
  public var greeting: QMPGreeting? { session.greeting }

  /// Whether out-of-band execution was requested and QEMU offers it.
  public var isOutOfBandEnabled: Bool { session.isOutOfBandEnabled }

  /// The loop: the actor's code and the reading of the socket share its thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    loop.asUnownedSerialExecutor()
  }

  init(over transport: any QMPTransport, on loop: EventLoop) {
    self.loop = loop
    self.transport = transport
  }

  deinit {
    // A client may be dropped without having been closed: its subscribers must not wait for ever.
    transport.close()
    for subscriber in subscribers { subscriber.finish() }
  }

  /// Ends the connection: every waiting caller gets `closed`, the events end. Idempotent.
  public func close() { end(.closed) }

  // MARK: - Commands

  /// Executes a command by its name on the wire and waits for its reply.
  ///
  /// - Parameters:
  ///   - name: The name on the wire.
  ///   - arguments: The arguments on the wire.
  ///   - timeout: How long to wait; for ever if nil.
  ///   - outOfBand: Whether to execute ahead of queued commands. QEMU must allow that for this
  ///     command. Ignored unless enabled for the connection.
  /// - Returns: The reply's `return` member.
  /// - Throws: `refused` with QEMU's own words, `disconnected`, `timedOut`, `cancelled`.
  @discardableResult
  public func execute(
    _ name: String, _ arguments: JSONObject = JSONObject(), timeout: Duration? = nil,
    outOfBand: Bool = false
  ) async throws(QMPError) -> JSONValue {
    let id = session.newID()
    let answer: Result<JSONValue, QMPError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // In one step: the loop may run other code between the calls above.
        if let ending {
          continuation.resume(returning: .failure(ending))
        } else if Task.isCancelled {
          continuation.resume(returning: .failure(.cancelled(command: name)))
        } else {
          let timer = timeout.map { setTimer(id, name, $0) }
          callers[id] = Caller(continuation: continuation, timer: timer)
          transport.send(session.send(name, arguments, id: id, outOfBand: outOfBand))
        }
      }
    } onCancel: {
      // If this runs before the caller is registered, the check above sees the cancellation.
      loop.perform { [weak self] in
        self?.assumeIsolated { $0.giveUp(id, .cancelled(command: name)) }
      }
    }
    return try answer.mapError { $0.during(name) }.get()
  }

  private func setTimer(_ id: Int, _ name: String, _ timeout: Duration) -> EventLoop.Token {
    loop.schedule(at: .now.advanced(by: timeout)) { [weak self] in
      self?.assumeIsolated {
        $0.giveUp(id, .timedOut(command: name, seconds: timeout.inSeconds))
      }
    }
  }

  private func giveUp(_ id: Int, _ error: QMPError) {
    guard answer(id, .failure(error)) else { return }
    session.abandon(id)
  }

  /// Resumes a caller with its answer; false if no caller waits for it.
  @discardableResult
  private func answer(_ id: Int, _ result: Result<JSONValue, QMPError>) -> Bool {
    guard let caller = callers.removeValue(forKey: id) else { return false }
    if let timer = caller.timer { loop.cancel(timer) }
    caller.continuation.resume(returning: result)
    return true
  }

  // MARK: - Events

  /// The events from now on. Each call adds a subscriber, and each subscriber gets all events.
  ///
  /// The first subscriber also gets the last ``mostEarlyEvents`` events since the greeting. Events
  /// before the connection are lost: subscribe first, then ask for the state.
  public func events() -> QMPEvents {
    let subscription = QMPEvents.Subscription()
    for event in earlyEvents ?? [] { subscription.mailbox.send(event) }
    earlyEvents = nil
    if ending == nil {
      subscribers.append(subscription.mailbox)
    } else {
      subscription.mailbox.finish()
    }
    return QMPEvents(subscription: subscription)
  }

  /// How many subscribers there are, for tests.
  var subscriberCount: Int { subscribers.count }

  // MARK: - Receiving

  func receive(_ input: QMPInput) {
    guard ending == nil else { return }
    switch input {
    case .bytes(let bytes):
      framer.append(bytes)
      do throws(QMPError) {
        while let action = try framer.next({ line in
          Result { () throws(QMPError) in try session.receive(line) }
        }) {
          carryOut(try action.get())
        }
      } catch {
        end(error)
      }
    case .closed: end(.disconnected(command: nil))
    case .failed(let error): end(.transport(error))
    }
  }

  private func carryOut(_ action: QMPSession.Action) {
    switch action {
    case .greeting(let greeting): greet(.success(greeting))
    case .reply(let id, let result): answer(id, result)
    case .event(let event):
      if earlyEvents == nil {
        // A subscriber whose subscription was dropped refuses the event and is removed.
        subscribers.removeAll { !$0.send(event) }
      } else {
        if earlyEvents?.count == Self.mostEarlyEvents { earlyEvents?.removeFirst() }
        earlyEvents?.append(event)
      }
    case .ignored: break
    }
  }

  private func end(_ reason: QMPError) {
    guard ending == nil else { return }
    ending = reason
    transport.close()
    greet(.failure(reason))
    for id in callers.keys { answer(id, .failure(reason)) }
    for subscriber in subscribers { subscriber.finish() }
    subscribers = []
  }
}

extension QMPClient {
  /// Executes a command and waits for its reply.
  ///
  /// - Parameters:
  ///   - command: The command with its arguments.
  ///   - timeout: How long to wait; for ever if nil.
  /// - Returns: The reply.
  /// - Throws: `refused` with QEMU's own words, `disconnected`, `timedOut`, `cancelled`.
  @discardableResult
  public func execute<Command: QMPCommand>(
    _ command: Command, timeout: Duration? = nil
  ) async throws(QMPError) -> Command.Reply {
    let json = try await execute(Command.name, command.arguments, timeout: timeout)
    return try json.reply(to: Command.self)
  }
}

extension QMPClient {
  /// Waits for the greeting.
  func awaitGreeting(
    until deadline: SuspendingClock.Instant, otherwise error: QMPError
  ) async throws(QMPError) -> QMPGreeting {
    let answer: Result<QMPGreeting, QMPError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if let ending {
          continuation.resume(returning: .failure(ending))
        } else if let greeting = session.greeting {
          continuation.resume(returning: .success(greeting))
        } else if Task.isCancelled {
          continuation.resume(returning: .failure(.cancelled(command: QMPCapabilities.name)))
        } else {
          let timer = loop.schedule(at: deadline) { [weak self] in
            self?.assumeIsolated { $0.greet(.failure(error)) }
          }
          greeter = (continuation, timer)
        }
      }
    } onCancel: {
      loop.perform { [weak self] in
        self?.assumeIsolated { $0.greet(.failure(.cancelled(command: QMPCapabilities.name))) }
      }
    }
    return try answer.get()
  }

  func greet(_ result: Result<QMPGreeting, QMPError>) {
    guard let greeter else { return }
    self.greeter = nil
    loop.cancel(greeter.timer)
    greeter.continuation.resume(returning: result)
  }
}
