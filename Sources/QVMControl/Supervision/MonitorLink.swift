internal import QMPClient

/// The connection to QEMU's monitor: its events, questions and their answers, and the failover to
/// the second monitor.
///
/// All that QEMU says comes in through the supervisor's mailbox. Each command has a task of its own:
/// a QEMU that is silent must not hold up the supervisor.
struct MonitorLink: Sendable {
  private enum Connection: Sendable {
    /// QEMU has not been started yet.
    case notYet
    case connected(QMPClient)
    /// The monitor was lost, and the other one is being tried.
    case failingOver
    case lost
  }

  /// How long QEMU may take to answer a question.
  static let answerTimeout = Duration.seconds(5)
  /// The same if a client waits for it, which itself waits no longer than a second.
  static let statusTimeout = Duration.milliseconds(700)
  /// How long QEMU's last events may take to arrive after it has ended.
  static let drainTime = Duration.seconds(2)

  private let runtime: RuntimeFolder
  private let inputs: Mailbox<Supervisor.Input>
  private let loop: EventLoop
  private var connection = Connection.notYet
  /// Takes in the events.
  private var reporter: Task<Void, Never>?
  /// How often the other monitor was tried.
  private var failovers = 0

  /// - Parameters:
  ///   - runtime: Where the socket of the second monitor is.
  ///   - inputs: The supervisor's.
  ///   - loop: The loop that the supervisor is on.
  init(runtime: RuntimeFolder, inputs: Mailbox<Supervisor.Input>, on loop: EventLoop) {
    self.runtime = runtime
    self.inputs = inputs
    self.loop = loop
  }

  /// nil while there is no connection.
  var client: QMPClient? {
    if case .connected(let client) = connection { client } else { nil }
  }

  /// Whether it is not known yet if the other monitor answers.
  var isFailingOver: Bool {
    if case .failingOver = connection { true } else { false }
  }

  /// Whether QEMU lives and no command reaches it; signals are left.
  var isOutOfReach: Bool {
    switch connection {
    case .notYet, .connected: false
    case .failingOver, .lost: true
    }
  }

  // MARK: - Connecting

  /// Takes over the connection to a QEMU that was started.
  ///
  /// - Parameters:
  ///   - client: nil if the monitor of an adopted QEMU does not answer.
  ///   - events: Its events.
  mutating func begin(_ client: QMPClient?, _ events: QMPEvents?) {
    connection = client.map(Connection.connected) ?? .lost
    if let events { follow(events) }
  }

  /// Sends the events to the mailbox, until QEMU hangs up.
  private mutating func follow(_ events: QMPEvents) {
    reporter = Task(executorPreference: loop) { [inputs] in
      for await event in events { inputs.send(.event(event)) }
      inputs.send(.monitorLost)
    }
  }

  /// QEMU hung up.
  mutating func lose() { connection = .lost }

  /// Tries the other monitor; what comes of it is an input.
  ///
  /// - Returns: Whether it is tried: not if QEMU has hung up too often.
  mutating func failOver() -> Bool {
    guard failovers < MonitorFailover.most else { return false }
    failovers += 1
    connection = .failingOver
    Task(executorPreference: loop) { [inputs, runtime, loop] in
      inputs.send(.failedOver(try? await MonitorFailover.connect(in: runtime, on: loop)))
    }
    return true
  }

  /// Continues with what came of a failover; whether there is a monitor again.
  mutating func failedOver(_ failover: MonitorFailover?) -> Bool {
    begin(failover?.client, failover?.events)
    return failover != nil
  }

  /// Waits until QEMU's last events are in the mailbox. It hung up, unless a child of its own has
  /// inherited the monitor and lives on.
  func drain() async {
    let reporter = reporter
    let timer = loop.schedule(at: .now.advanced(by: Self.drainTime)) { reporter?.cancel() }
    await reporter?.value
    loop.cancel(timer)
  }

  /// Takes in no more events.
  func stop() { reporter?.cancel() }

  // MARK: - Commands

  /// Executes a command whose reply is an input.
  ///
  /// - Parameters:
  ///   - command: The command.
  ///   - timeout: How long QEMU may take to answer; nil for as long as it lives.
  ///   - input: Makes the input; nil for none.
  func ask<Command: QMPCommand>(
    _ command: Command, timeout: Duration? = answerTimeout,
    input: @escaping @Sendable (Result<Command.Reply, QMPError>) -> Supervisor.Input?
  ) {
    guard let client else { return }
    ask(client, command, timeout: timeout, input: input)
  }

  private func ask<Command: QMPCommand>(
    _ client: QMPClient, _ command: Command, timeout: Duration?,
    input: @escaping @Sendable (Result<Command.Reply, QMPError>) -> Supervisor.Input?
  ) {
    Task(executorPreference: loop) { [inputs] in
      let answer: Result<Command.Reply, QMPError>
      do throws(QMPError) {
        answer = .success(try await client.execute(command, timeout: timeout))
      } catch {
        answer = .failure(error)
      }
      if let input = input(answer) { inputs.send(input) }
    }
  }

  /// Sends a command without waiting for its reply: what it does shows in events.
  func send(_ command: some QMPCommand) { ask(command) { _ in nil } }

  /// Asks for the run state.
  ///
  /// - Parameters:
  ///   - client: Whom to ask; nil for the present connection.
  ///   - timeout: How long QEMU may take to answer; nil for as long as it lives.
  func askRunState(of client: QMPClient? = nil, timeout: Duration? = answerTimeout) {
    guard let client = client ?? self.client else { return }
    ask(client, QueryStatus(), timeout: timeout) { .runState($0.map(\.status)) }
  }

  /// Asks for the disks' status: what QEMU said before this process listened is lost.
  func askDisks() { ask(QueryBlock()) { (try? $0.get()).map { .disks($0.devices) } } }

  /// Asks for any answer, which shows that QEMU is not suspended.
  func askPulse() { ask(QueryStatus(), timeout: nil) { _ in .pulse } }
}
