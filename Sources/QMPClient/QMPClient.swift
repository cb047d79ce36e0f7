/// A connection to QEMU's monitor.
///
/// ```swift
/// try await QMPClient.withConnection(path: "/run/vm/monitor.sock") { client in
///   print(try await client.execute(QueryStatus()).status)
/// }
/// ```
///
/// Many tasks may execute commands at the same time: replies find their callers by id. Every wait
/// ends when its task is cancelled, when its deadline passes, and when QEMU hangs up.
public actor QMPClient {
  /// A line of more bytes than this fails the connection; the longest that QEMU is known to send,
  /// the reply to `query-qmp-schema`, has about 207,000.
  public static let longestLine = 16 << 20

  let loop: EventLoop
  let transport: any QMPTransport
  var session = QMPSession()
  private var framer = LineFramer(limit: QMPClient.longestLine)
  private var callers: [Int: CheckedContinuation<Result<JSONValue, QMPError>, Never>] = [:]
  private var greeter: CheckedContinuation<Result<QMPGreeting, QMPError>, Never>?
  private var subscribers: [Mailbox<QMPEvent>] = []

  /// Why the connection has ended: `closed`, `disconnected`, a failure of the socket or something
  /// that is not QMP; nil while it lasts.
  public private(set) var ending: QMPError?

  /// What QEMU said of itself; never nil on a client that somebody else can see.
  public var greeting: QMPGreeting? { session.greeting }

  /// Whether out-of-band execution was asked for and QEMU offers it.
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
    // Whoever let go of the client without closing it must not leave others waiting.
    transport.close()
    for subscriber in subscribers { subscriber.finish() }
  }

  /// Ends the connection: every waiting caller gets `closed`, the events end. Idempotent.
  public func close() { end(.closed) }

  // MARK: - Commands

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

  /// Executes a command by its name on the wire and waits for its reply.
  ///
  /// - Parameters:
  ///   - name: The name on the wire.
  ///   - arguments: The arguments on the wire.
  ///   - timeout: How long to wait; for ever if nil.
  ///   - outOfBand: Ahead of the commands that wait, where the connection has enabled it and QEMU
  ///     allows it for this command; in turn where it has not.
  /// - Returns: The reply's `return` member.
  /// - Throws: `refused` with QEMU's own words, `disconnected`, `timedOut`, `cancelled`.
  @discardableResult
  public func execute(
    _ name: String, _ arguments: JSONObject = JSONObject(), timeout: Duration? = nil,
    outOfBand: Bool = false
  ) async throws(QMPError) -> JSONValue {
    if let ending { throw ending.during(name) }
    if Task.isCancelled { throw .cancelled(command: name) }
    let (id, bytes) = session.send(name, arguments, outOfBand: outOfBand)
    transport.send(bytes)
    var timer: EventLoop.Token?
    if let timeout {
      timer = loop.schedule(at: .now.advanced(by: timeout)) { [weak self] in
        self?.assumeIsolated {
          $0.giveUp(id, .timedOut(command: name, seconds: timeout.inSeconds))
        }
      }
    }
    defer { if let timer { loop.cancel(timer) } }
    let answer: Result<JSONValue, QMPError> = await withTaskCancellationHandler {
      await withCheckedContinuation { callers[id] = $0 }
    } onCancel: {
      // Runs after what is on the loop now, hence never before the caller is in the table.
      loop.perform { [weak self] in
        self?.assumeIsolated { $0.giveUp(id, .cancelled(command: name)) }
      }
    }
    return try answer.mapError { $0.during(name) }.get()
  }

  private func giveUp(_ id: Int, _ error: QMPError) {
    guard let caller = callers.removeValue(forKey: id) else { return }
    session.abandon(id)
    caller.resume(returning: .failure(error))
  }

  // MARK: - Events

  /// The events from now on. Each call gives a further subscriber that gets all of them.
  ///
  /// What QEMU reported before is lost to it: subscribe first, then ask for the state.
  public func events() -> QMPEvents {
    let subscription = QMPEvents.Subscription()
    if ending == nil {
      subscribers.append(subscription.mailbox)
    } else {
      subscription.mailbox.finish()
    }
    return QMPEvents(subscription: subscription)
  }

  /// How many subscribers there are, for tests.
  var subscriberCount: Int { subscribers.count }

  // MARK: - Greeting

  /// Waits for the greeting, or for whatever ``greet(_:)`` is given in its place.
  func awaitGreeting() async throws(QMPError) -> QMPGreeting {
    let answer: Result<QMPGreeting, QMPError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if let ending {
          continuation.resume(returning: .failure(ending))
        } else if let greeting = session.greeting {
          continuation.resume(returning: .success(greeting))
        } else {
          greeter = continuation
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
    greeter?.resume(returning: result)
    greeter = nil
  }

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
    case .reply(let id, let result): callers.removeValue(forKey: id)?.resume(returning: result)
    case .event(let event):
      // A subscriber that nobody listens to any longer refuses, and goes.
      subscribers.removeAll { !$0.send(event) }
    case .ignored: break
    }
  }

  private func end(_ reason: QMPError) {
    guard ending == nil else { return }
    ending = reason
    transport.close()
    greet(.failure(reason))
    for caller in callers.values { caller.resume(returning: .failure(reason)) }
    callers = [:]
    for subscriber in subscribers { subscriber.finish() }
    subscribers = []
  }
}
