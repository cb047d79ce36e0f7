package import QMPClient

/// One VM from its start to its confirmed end, in a process of its own.
///
/// Everything that happens arrives in one mailbox, in order: QMP events, the end of QEMU, requests
/// of clients, signals, answers. The actor runs on the event loop, so that its clients, its monitor
/// and its tasks share a thread with it.
package actor Supervisor {
  enum Input: Sendable {
    case started(Result<QEMULauncher.Started, any Error>)
    /// QEMU's answer when it was told to let the guest execute.
    case proceeded(QMPError?)
    /// QEMU's answer to a question for the run state.
    case runState(Result<RunState, QMPError>)
    /// QEMU's answer to a question for its disks.
    case disks([BlockDevice])
    case event(QMPEvent)
    case monitorLost
    /// QEMU neither ended nor got a monitor again since it hung up before the guest's start.
    case stillUnknown
    /// The connection to QEMU's other monitor; nil if it failed.
    case failedOver(MonitorFailover?)
    case ended(VMProcess.End)
    case request(ControlRequest, ControlServer.ClientID)
    case clientLost(ControlServer.ClientID)
    case signal(Signal)
    case notice(String)
    /// QEMU's answer when it was told to resume a guest that is to power off and stands still for its
    /// disk; with how long it may take for that, in seconds.
    case resumedToPowerOff(QMPError?, timeout: Int?)
    /// The guest is up; nil if that can't be seen. The number is that of the watch.
    case ready(Bool?, Int)
    /// What has become of the connection that commands share. The number is that of the connection.
    case heldConnection(HeldConnection.Report, Int)
    /// What came of the guest's own command for powering off.
    case guestCommandEnded(Subprocess.Output)
    /// QEMU has answered, or hung up, since it was last asked for a sign of life.
    case pulse
    /// The instance's folder is gone.
    case folderRemoved
    case tick
  }

  /// The QEMU that is supervised.
  enum QEMU: Sendable {
    /// Being started, or connected to, by a task.
    case starting(Task<Void, Never>?)
    case started(VMProcess)
  }

  let plan: LaunchPlan
  let loop: EventLoop
  let inputs: Mailbox<Input>
  var instance: SupervisedInstance
  var qemu = QEMU.starting(nil)
  var guest = GuestState()
  var monitor: MonitorLink
  var clients: Clients
  var sockets = SocketRenewer()
  var readiness: ReadinessWatch
  var connection: HeldConnection
  var shutdown = Shutdown()
  /// A QEMU that is started here shares this process's group.
  var memory = MemoryWatch(MemoryGroup(of: Host.processID))
  /// Limits the size of the logs, and notices that the folder was removed.
  var folderWatch: Task<Void, Never>?
  private var timer: EventLoop.Token?

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    loop.asUnownedSerialExecutor()
  }

  package init(
    plan: LaunchPlan, name: InstanceName, boot: BootRecord, vmLock: FileLock?,
    supervisorLock: FileLock, loop: EventLoop
  ) {
    let inputs = Mailbox<Input>()
    self.plan = plan
    self.loop = loop
    self.inputs = inputs
    instance = SupervisedInstance(
      plan, name: name, boot: boot, vmLock: vmLock, supervisorLock: supervisorLock)
    let isAdopting = plan.kind == .adopt
    // The guest of an orphan executes already.
    if isAdopting { guest.start = .proceeded }
    monitor = MonitorLink(runtime: instance.runtime, inputs: inputs, on: loop)
    readiness = ReadinessWatch(inputs: inputs, on: loop)
    connection = HeldConnection(inputs: inputs, on: loop)
    clients = Clients(
      of: ControlServer(
        of: boot.token, on: loop, receive: { inputs.send(.request($0, $1)) },
        lost: { inputs.send(.clientLost($0)) }),
      phase: isAdopting ? .orphaned : .starting,
      reason: isAdopting ? "a new supervisor takes it over" : nil)
  }

  /// Supervises to the end.
  ///
  /// - Parameters:
  ///   - launcher: The connection to the command that started this process.
  ///   - received: What that command has sent already.
  ///   - begin: Starts QEMU, or connects to the one that is there.
  package func run(
    launcher: Descriptor, received: [UInt8],
    begin: @escaping @Sendable (BootRecord) async throws -> QEMULauncher.Started
  ) async {
    clients.addLauncher(launcher, received: received)
    Signal.handle([.interrupt, .terminate, .hangUp, .quit, .renewSockets]) { [inputs] in
      inputs.send(.signal($0))
    }
    // A command that asks hears from the first moment on that the orphan is adopted.
    if plan.kind == .adopt { listen() }
    let boot = instance.boot
    qemu = .starting(
      Task(executorPreference: loop) { [inputs] in
        do {
          inputs.send(.started(.success(try await begin(boot))))
        } catch {
          inputs.send(.started(.failure(error)))
        }
      })
    while let input = await inputs.next() {
      if await handle(input) { break }
      armTimer()
    }
    monitor.stop()
    folderWatch?.cancel()
    readiness.stop()
  }

  /// Does what waits for QEMU in a task of its own: one that is silent must not hold up the inputs.
  func startTask(_ body: @escaping @Sendable (isolated Supervisor) async -> Void) {
    Task(executorPreference: loop) { await body(self) }
  }

  /// Handles one input; whether it was the last.
  private func handle(_ input: Input) async -> Bool {
    lookAtClock()
    switch input {
    case .started(.success(let started)): return begin(started)
    case .started(.failure(let error)):
      failed(error)
      return true
    case .proceeded(let error?) where error.endsConnection: break
    case .proceeded(let error?): clients.notify("QEMU did not let the guest run: \(error)")
    case .proceeded(nil): guest.start = .proceeded
    case .runState(let answer): take(answer)
    case .disks(let devices): take(devices)
    case .event(let event): take(event)
    case .monitorLost: monitorLost()
    case .stillUnknown: stillUnknown()
    case .failedOver(let failover): failedOver(failover)
    case .ended(let end):
      await ended(end)
      return true
    case .request(let request, let id): answer(request, from: id)
    case .clientLost(let id):
      connection.leave(id)
      if id == clients.lease {
        clients.lease = nil
        stop(.powerButton)
      }
    case .signal(.renewSockets): renewSockets()
    case .signal(let signal): if let rung = shutdown.rung(for: signal) { stop(rung) }
    case .guestCommandEnded(let output): guestCommandEnded(output)
    case .notice(let text): clients.notify(text)
    case .resumedToPowerOff(let error, let timeout): resumedToPowerOff(error, timeout: timeout)
    case .ready(let isReady, let number):
      if readiness.take(isReady, of: number) { clients.broadcast(.ready) }
    case .heldConnection(let report, let number):
      if let answer = connection.take(report, of: number) {
        answerConnection(answer.mayUse, to: answer.client)
      }
    case .pulse: shutdown.clock.answered()
    case .folderRemoved: folderRemoved()
    case .tick:
      carryOut(shutdown.ladder.tick(shutdown.clock.now))
      askPulse()
    }
    return false
  }

  /// Sets the one timer to what the ladder wants next, or to the next look at the clock.
  private func armTimer() {
    if let timer { loop.cancel(timer) }
    timer = shutdown.ladder.nextTick.map { due in
      loop.schedule(at: shutdown.clock.nextLook(for: due)) { [inputs] in inputs.send(.tick) }
    }
  }
}
