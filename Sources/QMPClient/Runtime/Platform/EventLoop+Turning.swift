#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import Synchronization

extension EventLoop {
  /// So many rounds of work are done between two looks at the descriptors and the timers, lest
  /// tasks that keep each other busy shut out everything else.
  private static let roundsBetweenPolls = 32

  /// Runs what is due and sleeps where nothing is, over and over.
  func turn(until isDone: () -> Bool) {
    thread.withLock { thread in
      precondition(thread == nil, "the event loop runs already")
      thread = pthread_self()
    }
    defer { thread.withLock { $0 = nil } }
    var polled = PollSet(wakeUp: wakeUp.read.number)
    var work: [EventLoopState.Work] = []
    while true {
      for _ in 0..<Self.roundsBetweenPolls {
        state.withLock { $0.exchangeWork(for: &work) }
        if work.isEmpty { break }
        for item in work { run(item) }
        work.removeAll(keepingCapacity: work.count <= 1024)
        if isDone() { return }
      }
      poll(&polled)
      runTimers()
    }
  }

  private func run(_ item: EventLoopState.Work) {
    switch item {
    case .job(let job):
      job.runSynchronously(
        isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    case .task(let job): job.runSynchronously(on: asUnownedTaskExecutor())
    case .closure(let body): body()
    }
  }

  /// Sleeps until something happens and calls the handlers of the descriptors that are ready; only
  /// looks at them where there is work.
  private func poll(_ polled: inout PollSet) {
    let timeout = state.withLock { state -> Int32 in
      if polled.generation != state.watchGeneration { polled.take(state) }
      // Checked under the lock that work is added under: whoever adds some later sees
      // `isPolling` and wakes the loop.
      if state.hasWork { return 0 }
      state.isPolling = true
      return state.nextDue?.pollTimeout ?? -1
    }
    let count = polled.poll(timeout)
    state.withLock { $0.isPolling = false }
    guard count > 0 else { return }
    if polled.isAwakened { drainWakeUps() }
    polled.forEachReady { watch, isOpen in
      // An earlier handler of this round may have cancelled it.
      if state.withLock({ $0.claim(watch, ending: !isOpen) }) { watch.handler() }
    }
  }

  private func drainWakeUps() {
    while case .bytes(let bytes) = SocketCalls.receive(wakeUp.read.number), bytes.count == 1 << 16 {
    }
  }

  private func runTimers() {
    guard state.withLock({ $0.nextDue }) != nil else { return }
    let now = SuspendingClock.now
    let limit = state.withLock { $0.nextToken }
    while let timer = state.withLock({ $0.takeTimer(dueAt: now, below: limit) }) {
      timer.handler()
    }
  }
}
