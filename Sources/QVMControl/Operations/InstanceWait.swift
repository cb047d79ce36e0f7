package import QMPClient

/// Waits for something of one instance, from any process, and never longer than the VM lives.
package struct InstanceWait: Sendable {
  let name: InstanceName
  let store: InstanceStore
  let files: InstanceFiles
  let loop: EventLoop
  /// How long a VM may give no sign of life before it is taken for dead.
  private let silenceTimeout: Duration
  /// Is told now and then, in words, what is waited for; nil for nobody.
  package var remark: (@Sendable (String) -> Void)?
  /// After how long that is done.
  package var remarkTimes = RemarkTimes()

  /// QEMU may be held up for a while by a slow disk without being dead.
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

  /// Waits, for as long as the VM lives where `limit` is nil.
  ///
  /// Throws what keeps it from looking, such as a broken instance.
  package func wait(
    for condition: WaitCondition, within limit: Duration?
  ) async throws -> WaitResult {
    let status: VMStatus
    do throws(InstanceError) { status = try VMStatus.inspect(name, in: store) } catch {
      // Removed after its shutdown: that is as stopped as can be.
      if case .noSuch = error, condition == .stopped { return .met }
      throw error
    }
    if status.phase == .broken {
      throw InstanceError.broken(name: name.text, why: status.reason ?? "")
    }
    guard status.phase.isAlive else {
      if condition == .stopped { return .met }
      // After an end in good order the console's last lines say nothing new.
      return status.phase == .crashed
        ? .notRunning(crash: status.reason ?? "unknown", tail: tail())
        : .notRunning(crash: nil, tail: [])
    }
    let results = Mailbox<Result<WaitResult, any Error>>()
    var watchers = watchers(status, condition, reporting: results)
    if let remark {
      watchers.append(
        Task(executorPreference: loop) { await remarks(on: condition, status, say: remark) })
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

  /// The tasks that watch side by side; the first to report decides.
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
    // An end comes for the dead too, by somebody's hand.
    guard condition != .stopped else { return [ending] }
    let doubting = Task(executorPreference: loop) {
      // Where it ends or is removed meanwhile, the others report that.
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

  /// Returns when neither QEMU nor its supervisor lives: when their locks are free.
  private func end() async throws(SystemError) {
    let mailbox = Mailbox<Void>()
    let files = self.files
    let started = startThread {
      files.blockUntilEnded()
      mailbox.send(())
    }
    // That nobody can wait for its end doesn't mean that it has ended.
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
    case .ready:
      guard let target = status.record?.target else { return }
      let boot = try await startedBoot()
      guard let sign = ReadySign(of: target, boot, files, consoleOffset: boot.consoleOffset) else {
        // Nothing tells of the guest itself.
        return try await running()
      }
      try await sign.appears(on: loop)
      try? BlockingControlClient(boot.runtime(files), boot: boot.token).send(.ready)
    }
  }

  /// Returns when the guest executes: when its supervisor says so, and QEMU itself answers the same.
  private func running() async throws {
    let boot = try await startedBoot()
    let runtime = boot.runtime(files)
    guard let socket = try? runtime.connect(runtime.control) else {
      // An orphan has nobody to say so but QEMU itself.
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
        // A QEMU that is stopped itself says nothing when it goes on.
        try await loop.sleep(until: .now.advanced(by: Self.interval))
        await supervisor.send(ControlRequest.status.json(boot: boot.token))
      }
    }
    await supervisor.close()
    try Task.checkCancellation()
    // The supervisor is gone: then the VM is ending, which the other watcher reports.
    while true { try await loop.sleep(until: .now.advanced(by: .seconds(3600))) }
  }

  /// How often one is asked that can't tell by itself.
  private static let interval = Duration.milliseconds(200)

  /// The present boot, once its QEMU was started.
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

  // MARK: - What the user will want to see

  /// Adds what the user will want to see: how it ended, and the end of the console.
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

  /// The last lines of the console of the present boot, or of the last where that has ended.
  func tail(_ count: Int = 10) -> [String] {
    // Of a boot that has yet to begin there is nothing.
    if LockOwner(reading: files.supervisorLock)?.isBoot == true { return [] }
    let size = Files.information(files.console)?.size ?? 0
    let begin = ((try? BootRecord.read(files.boot)) ?? nil)?.consoleOffset ?? 0
    let bytes = (try? Files.read(files.console, from: max(begin, size - 4096))) ?? []
    return Array(ConsoleText.lines(bytes).suffix(count))
  }
}
