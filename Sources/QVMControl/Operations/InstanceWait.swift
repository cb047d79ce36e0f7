package import QMPClient

/// Waits until a condition holds for one instance, from any process, and never longer than the VM
/// lives.
package struct InstanceWait: Sendable {
  let name: InstanceName
  let store: InstanceStore
  let files: InstanceFiles
  let loop: EventLoop
  /// How long a VM may show no sign of life before it is considered dead.
  private let silenceTimeout: Duration
  /// Called now and then with a sentence that says what is still missing; nil for no reports.
  package var remark: (@Sendable (String) -> Void)?
  /// When ``remark`` is called.
  package var remarkTimes = RemarkTimes()

  /// A slow disk may hold QEMU up for a while.
  package static let defaultSilenceTimeout = Duration.seconds(30)

  package init(
    _ name: InstanceName, in store: InstanceStore, on loop: EventLoop,
    silenceTimeout: Duration = Self.defaultSilenceTimeout
  ) {
    self.silenceTimeout = silenceTimeout
    self.name = name
    self.store = store
    self.loop = loop
    files = store.files(name)
  }

  /// Waits until the condition holds, the VM ends, or the time is up.
  ///
  /// - Parameters:
  ///   - condition: What to wait for.
  ///   - limit: The timeout; nil to wait as long as the VM lives.
  /// - Returns: How the wait ended.
  /// - Throws: ``InstanceError``, such as `broken`; `CancellationError`.
  package func wait(
    for condition: WaitCondition, within limit: Duration?
  ) async throws -> WaitResult {
    let status: VMStatus
    do throws(InstanceError) { status = try VMStatus.inspect(name, in: store) } catch {
      // `--rm` removed it after its shutdown, so it is stopped.
      if case .noSuch = error, condition == .stopped { return .met }
      throw error
    }
    if status.phase == .broken {
      throw InstanceError.broken(name: name.text, why: status.reason ?? "")
    }
    if case .port = condition, status.phase.isAlive { try GuestSSH.checkServer(of: status) }
    guard status.phase.isAlive else {
      if condition == .stopped { return .met }
      // After a clean shutdown the console's last lines say nothing new.
      return status.phase == .crashed
        ? .notRunning(crash: status.reason ?? "unknown", tail: tail())
        : .notRunning(crash: nil, tail: [])
    }
    let results = Mailbox<Result<WaitResult, any Error>>()
    var watchers = watchers(status, condition, reporting: results)
    if let remark {
      watchers.append(
        Task(executorPreference: loop) {
          await WaitRemarks(wait: self, condition: condition, status: status).report(remark)
        })
    }
    let timer = limit.map { limit in
      loop.schedule(at: .now.advanced(by: limit)) {
        results.send(.success(.timedOut(signs: nil, tail: [])))
      }
    }
    defer {
      for watcher in watchers { watcher.cancel() }
      if let timer { loop.cancel(timer) }
    }
    guard let result = await results.next() else { throw CancellationError() }
    return try withTail(result.get())
  }

  /// The tasks that watch in parallel. The first to report decides the result.
  private func watchers(
    _ status: VMStatus, _ condition: WaitCondition,
    reporting results: Mailbox<Result<WaitResult, any Error>>
  ) -> [Task<Void, Never>] {
    let ending = Task(executorPreference: loop) {
      do throws(SystemError) {
        try await end()
        results.send(.success(condition == .stopped ? .met : .ended(nil, tail: [])))
      } catch {
        results.send(.failure(error))
      }
    }
    // A dead VM can still be stopped by another command, so a wait for its end continues.
    guard condition != .stopped else { return [ending] }
    let doubting = Task(executorPreference: loop) {
      // If the VM ends or is removed meanwhile, the other tasks report that.
      guard
        (try? await Liveness.untilSilent(name, in: store, for: silenceTimeout, on: loop)) != nil
      else { return }
      results.send(.success(.dead(after: silenceTimeout, tail: [])))
    }
    let watching = Task(executorPreference: loop) {
      do {
        try await met(condition, status)
        results.send(.success(.met))
      } catch is CancellationError {
      } catch {
        results.send(.failure(error))
      }
    }
    return [ending, watching, doubting]
  }

  /// Returns once QEMU and its supervisor have exited: when their locks are free.
  private func end() async throws(SystemError) {
    let mailbox = Mailbox<Void>()
    let files = self.files
    let started = startThread {
      files.blockUntilEnded()
      mailbox.send(())
    }
    // Without a thread to wait on, the VM's end is unknown.
    if !started { throw .noThread }
    _ = await mailbox.next()
  }

  private func met(_ condition: WaitCondition, _ status: VMStatus) async throws {
    switch condition {
    case .stopped: break
    case .running: try await running()
    case .console(let text):
      let boot = try await startedBoot()
      try await ReadySign.text(text, log: files.console, offset: boot.consoleOffset)
        .appears(on: loop)
    case .port(let port): try await listening(on: port, status)
    case .ready:
      guard let target = status.record?.target else { return }
      let boot = try await startedBoot()
      guard let sign = ReadySign(of: target, boot, files, consoleOffset: boot.consoleOffset) else {
        // This guest has no ready sign.
        return try await running()
      }
      // The console's log still has the text of before a reset, which only the supervisor has seen.
      if case .text = sign, try await supervisorSaysReady(boot) { return }
      try await sign.appears(on: loop)
      // A guest whose last command was `reboot` looks ready for a moment.
      while let doubt = confirm(boot) {
        try await loop.sleep(until: .now.advanced(by: doubt))
        try await sign.appears(on: loop)
      }
    }
  }

  /// Returns once the supervisor knows that the guest is ready.
  ///
  /// - Returns: False if there is no supervisor to say so.
  private func supervisorSaysReady(_ boot: BootRecord) async throws -> Bool {
    let runtime = boot.runtime(files)
    guard let socket = try? runtime.connect(runtime.control) else { return false }
    let inputs = Mailbox<LineSocket.Input>()
    let supervisor = LineSocket(socket, on: loop) { inputs.send($0) }
    await supervisor.start()
    await supervisor.send(ControlRequest.subscribe.json(boot: boot.token))
    await supervisor.send(ControlRequest.status.json(boot: boot.token))
    var isReady = false
    while !isReady, case .line(let json)? = await inputs.next(),
      json["boot"]?.string ?? boot.token == boot.token
    {
      isReady = ControlEvent(json) == .ready || json["status"]?["ready"]?.bool == true
    }
    await supervisor.close()
    try Task.checkCancellation()
    return isReady
  }

  /// Tells the supervisor that the guest looks ready.
  ///
  /// - Returns: How long that may still be wrong; nil if it isn't, or if the supervisor doesn't answer.
  private func confirm(_ boot: BootRecord) -> Duration? {
    guard let supervisor = try? BlockingControlClient(boot.runtime(files), boot: boot.token) else {
      return nil
    }
    supervisor.send(.ready)
    let answer = try? supervisor.answer(to: "ready", until: .now.advanced(by: Self.answerTimeout))
    guard let seconds = answer?["ready"]?.double, seconds > 0 else { return nil }
    return min(.seconds(seconds), ReadinessWatch.settling)
  }

  private static let answerTimeout = Duration.seconds(2)

  /// Returns once a program in the guest listens on a port. A guest that begins anew meanwhile is asked again.
  private func listening(on port: Int, _ status: VMStatus) async throws {
    let probe = GuestPortProbe(port: port)
    while true {
      try await met(.ready, status)
      try await GuestSSH.waitForKeys(
        name, in: store, as: nil, within: KeyWait.longest, on: loop, remark: remark ?? { _ in })
      let ssh = try GuestSSH(try VMStatus.inspect(name, in: store))
      switch try await probe.ask(by: ssh, on: loop) {
      case .listening: return
      case .notYet: break
      case .unknown: throw GuestPortError.unknown(name: name.text)
      case .denied(let why): throw GuestPortError.denied(name: name.text, why: why)
      case .lost: try await loop.sleep(until: .now.advanced(by: .seconds(1)))
      }
    }
  }

  /// Returns once the guest executes: when the supervisor reports it and QEMU confirms it.
  private func running() async throws {
    let boot = try await startedBoot()
    let runtime = boot.runtime(files)
    guard let socket = try? runtime.connect(runtime.control) else {
      // An orphan has no supervisor: ask QEMU.
      while try VMStatus.inspect(name, in: store).runState != .running {
        try await loop.sleep(until: .now.advanced(by: Self.interval))
      }
      return
    }
    let inputs = Mailbox<LineSocket.Input>()
    let supervisor = LineSocket(socket, on: loop) { inputs.send($0) }
    await supervisor.start()
    await supervisor.send(ControlRequest.subscribe.json(boot: boot.token))
    while let input = await inputs.next() {
      guard case .line(let json) = input, json["boot"]?.string ?? boot.token == boot.token else {
        break
      }
      if case .phase(.running, _) = ControlEvent(json) {
        await supervisor.send(ControlRequest.status.json(boot: boot.token))
      } else if let status = json["status"] {
        if status["runState"]?.string == RunState.running.rawValue,
          status["phase"]?.string == Phase.running.rawValue
        {
          await supervisor.close()
          return
        }
        // A stopped QEMU process sends no event when it continues.
        try await loop.sleep(until: .now.advanced(by: Self.interval))
        await supervisor.send(ControlRequest.status.json(boot: boot.token))
      }
    }
    await supervisor.close()
    try Task.checkCancellation()
    // The supervisor has exited, so the VM is ending. The other task reports that.
    while true { try await loop.sleep(until: .now.advanced(by: .seconds(3600))) }
  }

  /// How often to ask a process that sends no events.
  private static let interval = Duration.milliseconds(200)

  /// The current boot, once its QEMU was started.
  private func startedBoot() async throws -> BootRecord {
    while true {
      if let boot = try BootRecord.read(files.boot),
        try Outcome.read(files.outcome)?.token != boot.token,
        Files.exists(boot.runtime(files).control)
          || !FileLock.isHeld(files.supervisorLock)
      {
        return boot
      }
      try await loop.sleep(until: .now.advanced(by: .milliseconds(20)))
    }
  }

  // MARK: - The console's last lines

  /// Adds the outcome, the signs of life and the end of the console, which explain the result.
  private func withTail(_ result: WaitResult) throws -> WaitResult {
    switch result {
    case .met, .notRunning: return result
    case .timedOut:
      return .timedOut(
        signs: (try? Liveness(of: name, in: store))?.sentence(), tail: tail())
    case .dead(let time, _): return .dead(after: time, tail: tail())
    case .ended:
      _ = Reconciliation.reconcile(name, in: store)
      return .ended(try? Outcome.read(files.outcome), tail: tail())
    }
  }

  /// The last lines that the current boot, or else the last one, wrote to the console.
  func tail(_ count: Int = 10) -> [String] {
    // A boot that has yet to begin has written nothing.
    if LockOwner(reading: files.supervisorLock)?.isBoot == true { return [] }
    let size = Files.information(files.console)?.size ?? 0
    let begin = files.bootRecord?.consoleOffset ?? 0
    let bytes = (try? Files.read(files.console, from: max(begin, size - 4096))) ?? []
    return Array(ConsoleText.lines(bytes).suffix(count))
  }
}
