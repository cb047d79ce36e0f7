package import QMPClient

/// One VM from its start to its confirmed end, in a process of its own.
///
/// Everything that happens arrives in one mailbox, in order: QMP events, the end of QEMU, requests
/// of clients, signals. The only waits in between are short questions to QEMU.
package final class Supervisor {
  enum Input: Sendable {
    case started(Result<QEMULauncher.Started, any Error>)
    /// What came of letting the guest run.
    case proceeded(QMPError?)
    /// QEMU's answer to a question for the run state.
    case runState(Result<RunState, QMPError>)
    /// QEMU's answer to a question for its disks.
    case disks([BlockDevice])
    case event(QMPEvent)
    case monitorLost
    /// QEMU neither ended nor got a monitor again since it hung up before the guest's start.
    case stillUnknown
    /// What came of connecting to QEMU's other monitor.
    case rescued(Rescue?)
    case ended(VMProcess.End)
    case request(ControlRequest, ControlServer.ClientID)
    case clientLost(ControlServer.ClientID)
    case signal(Signal)
    case notice(String)
    /// What came of letting a guest go on that is to power off and stands still for its disk; with how
    /// long it may take for that, in seconds.
    case retried(QMPError?, timeout: Int?)
    /// The guest is up; nil where that can't be seen. The number is that of the look-out.
    case ready(Bool?, Int)
    /// What came of telling the guest by its own command.
    case guestCommandEnded(Subprocess.Output)
    /// QEMU has answered, or hung up, since it was last asked for a sign of life.
    case pulse
    /// The instance's folder is gone.
    case folderRemoved
    case tick
  }

  /// How long QEMU may take to answer a question.
  static let answerTimeout = Duration.seconds(5)
  /// The same where a client waits for it, which itself waits no longer than a second.
  static let statusTimeout = Duration.milliseconds(700)
  /// How long QEMU's last words may take to arrive once it has ended.
  static let drainTime = Duration.seconds(2)

  let plan: LaunchPlan
  let store: InstanceStore
  let name: InstanceName
  let files: InstanceFiles
  let runtime: RuntimeFolder
  let loop: EventLoop
  let server: ControlServer
  let inputs: Mailbox<Input>
  var vmLock: FileLock?
  let supervisorLock: FileLock

  var boot: BootRecord
  var phase = Phase.starting
  var phaseReason: String?
  var process: VMProcess?
  var client: QMPClient?
  var runState: RunState?
  var ladder = ShutdownLadder()
  /// The ladder's clock.
  var time = CountedTime(at: .now)
  /// When QEMU was asked for a sign of life that it has not given yet, in a shutdown.
  var pulseAwaitedSince: SuspendingClock.Instant?
  /// Whether the clients were told that it doesn't answer.
  var hasToldOfSilence = false
  /// What was made of the signals to this process.
  var insistence = SignalEscalation()
  /// The rungs of the shutdown as they were reached.
  var steps: [Outcome.Step] = []
  var evidence = Evidence()
  /// Whether the clients were told that the guest was reset while it was to power off.
  var hasToldOfRestart = false
  var pauseReason = PauseReason()
  var diskTrouble = DiskTrouble()
  /// A QEMU that is started here shares this process's group.
  var memory = MemoryWatch(MemoryGroup(of: Host.processID))
  var reporter: Task<Void, Never>?
  /// Keeps the logs from growing without end, and notices that the folder was removed.
  var folderWatch: Task<Void, Never>?
  /// Whether the guest is up; nil where nothing tells that.
  var isReady: Bool?
  /// Looks out for that, from the guest's start or its last reset.
  var readinessWatch: (number: Int, task: Task<Void, Never>?) = (0, nil)
  lazy var record = try? InstanceRecord(reading: files.record)
  var target: Target? { record?.target }
  /// The ssh that tells the guest to power off.
  var guestCommand: Task<Void, Never>?
  /// Whether the clients were told that it did, or that it could not.
  var hasToldOfCommand: (success: Bool, failure: Bool) = (false, false)
  /// How often it could not be told.
  var failedCommands = 0
  /// The client that started the VM: while it holds the connection without having detached, the
  /// VM lives no longer than it does.
  var lease: ControlServer.ClientID?
  var timer: EventLoop.Token?
  var isHeld = false
  /// Whether QEMU has confirmed that the guest executes.
  private(set) var hasProceeded = false
  /// Starts QEMU, or connects to the one that is there.
  var starting: Task<Void, Never>?
  /// Whether the clients were told that the guest executes.
  var isAnnounced = false
  /// How often QEMU's other monitor was tried.
  var rescues = 0
  /// Whether it is being tried.
  var isRescuing = false
  /// Whether somebody has been let in by `control.sock`, or could have been.
  var hasListened = false
  /// Makes QEMU's console anew.
  var consoleRenewal: Task<Void, Never>?
  /// Whether it was told that QEMU's monitor can't be made anew.
  var hasToldOfMonitor = false
  /// Whether a guest that stood still for want of its disk was let go on, for it to power off.
  var hasRetried = false
  /// Whether that is being done.
  var isRetrying = false
  /// What was asked for before the QEMU to take over, or its other monitor, had answered.
  var pendingStop: (rung: ShutdownRung, timeout: Int?)?

  package init(
    plan: LaunchPlan, name: InstanceName, boot: BootRecord, vmLock: FileLock?,
    supervisorLock: FileLock, loop: EventLoop
  ) {
    let inputs = Mailbox<Input>()
    self.plan = plan
    self.name = name
    self.boot = boot
    self.vmLock = vmLock
    self.supervisorLock = supervisorLock
    self.loop = loop
    self.inputs = inputs
    store = InstanceStore(Cache(path: plan.cache))
    files = store.files(name)
    runtime = plan.runtime(files)
    if plan.kind == .adopt { (phase, phaseReason) = (.orphaned, "a new supervisor takes it over") }
    server = ControlServer(
      of: boot.token, on: loop, receive: { inputs.send(.request($0, $1)) },
      lost: { inputs.send(.clientLost($0)) })
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
    let inputs = self.inputs
    lease = await server.add(launcher, received: received, wantsEvents: true)
    Signal.handle([.interrupt, .terminate, .hangUp, .quit, .renewSockets]) {
      inputs.send(.signal($0))
    }
    // Whoever asks hears from the first moment on that somebody has taken over.
    if plan.kind == .adopt { await listen() }
    let boot = self.boot
    starting = Task(executorPreference: loop) {
      do {
        inputs.send(.started(.success(try await begin(boot))))
      } catch {
        inputs.send(.started(.failure(error)))
      }
    }
    while let input = await inputs.next() {
      if await handle(input) { break }
      armTimer()
    }
    reporter?.cancel()
    folderWatch?.cancel()
    readinessWatch.task?.cancel()
  }

  /// Handles one input; whether it was the last.
  private func handle(_ input: Input) async -> Bool {
    await lookAtClock()
    switch input {
    case .started(.success(let started)): return await begin(started)
    case .started(.failure(let error)):
      await failed(error)
      return true
    case .proceeded(let error?) where error.endsConnection: break
    case .proceeded(let error?):
      await server.broadcast(.notice("QEMU did not let the guest run: \(error)"))
    case .proceeded(nil): hasProceeded = true
    case .runState(let answer): await take(answer)
    case .disks(let devices): await take(devices)
    case .event(let event): await take(event)
    case .monitorLost: await monitorLost()
    case .stillUnknown: await stillUnknown()
    case .rescued(let rescue): await rescued(rescue)
    case .ended(let end):
      await ended(end)
      return true
    case .request(let request, let id): await answer(request, from: id)
    case .clientLost(let id) where id == lease:
      lease = nil
      await stop(.powerButton, timeout: nil)
    case .clientLost: break
    case .signal(.renewSockets): await renewSockets()
    case .signal(let signal):
      if let rung = rung(for: signal) { await stop(rung, timeout: nil) }
    case .guestCommandEnded(let output): await guestCommandEnded(output)
    case .notice(let text): await server.broadcast(.notice(text))
    case .retried(let error, let timeout): await retried(error, timeout: timeout)
    case .ready(let isReady, let number):
      if number == readinessWatch.number { self.isReady = isReady }
    case .pulse: pulseAwaitedSince = nil
    case .folderRemoved: await folderRemoved()
    case .tick:
      await carryOut(ladder.tick(time.now))
      feelPulse()
    }
    return false
  }

  /// Sets the one timer to what the ladder wants next, or to the next look at the clock.
  private func armTimer() {
    if let timer { loop.cancel(timer) }
    let inputs = self.inputs
    timer = ladder.nextTick.map { due in
      loop.schedule(at: time.nextLook(for: due)) { inputs.send(.tick) }
    }
  }
}
