internal import QMPClient

/// A command's connection to the supervisor of its VM: the events, then how the VM ended or the
/// supervisor was lost.
struct SupervisorConnection: Sendable {
  enum Report: Sendable {
    /// What the supervisor reports of the VM; never its end.
    case event(ControlEvent)
    /// The VM has ended, which its locks confirm.
    case ended(Outcome, removed: Bool)
    /// The supervisor exited before it had a record of this boot. The text says so.
    case neverBegan(String)
    /// The supervisor was killed, and QEMU runs without it.
    case lost
  }

  private let vm: SupervisedVM
  private let socket: LineSocket

  /// - Parameters:
  ///   - vm: The VM.
  ///   - loop: The loop that reads the connection.
  ///   - receive: Called on the loop with what ``report(of:)`` takes.
  init(
    to vm: SupervisedVM, on loop: EventLoop,
    receive: @escaping @Sendable (LineSocket.Input) -> Void
  ) {
    self.vm = vm
    socket = LineSocket(vm.supervisor, received: vm.received, on: loop, receive: receive)
  }

  func start() async { await socket.start() }

  func send(_ request: ControlRequest) async { await socket.send(request.json) }

  /// What a line of the supervisor, or the end of the connection, says; nil if it says nothing.
  ///
  /// If the supervisor is gone and the VM has ended, its outcome is recorded, and `--rm` carried out.
  func report(of input: LineSocket.Input) -> Report? {
    switch input {
    case .line(let json):
      switch ControlEvent(json) {
      case nil: return nil
      // The locks must confirm it.
      case .ended(let outcome, let removed) where vm.files.hasEnded(boot: outcome.token):
        return .ended(outcome, removed: removed)
      case .ended: return loss
      case let event?: return .event(event)
      }
    case .ended: return loss
    }
  }

  private var loss: Report {
    switch Reconciliation.afterSupervisorLoss(
      of: vm.name, previousBoot: vm.previousBoot, in: vm.store)
    {
    case .ended(let outcome, let removed): .ended(outcome, removed: removed)
    case .neverBegan: .neverBegan(Reconciliation.neverBegan(vm.name, vm.files))
    case .lives: .lost
    }
  }
}

extension SupervisedVM {
  /// How its boot ended, in a sentence.
  func sentence(_ outcome: Outcome, removed: Bool) -> String {
    outcome.sentence(name.text, disk: removed ? nil : files.disk)
  }
}

extension Mailbox where Element == Signal {
  /// Passes signals on to a session's own mailbox until the task is cancelled.
  func forward<Input: Sendable>(
    to inputs: Mailbox<Input>, on loop: EventLoop,
    as input: @escaping @Sendable (Signal) -> Input
  ) -> Task<Void, Never> {
    Task(executorPreference: loop) {
      while let signal = await self.next() { inputs.send(input(signal)) }
    }
  }
}
