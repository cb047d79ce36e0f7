extension EventLoop {
  /// Waits until a time.
  ///
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  package func sleep(until deadline: SuspendingClock.Instant) async throws(CancellationError) {
    let mailbox = Mailbox<Void>()
    let timer = schedule(at: deadline) { mailbox.send(()) }
    defer { cancel(timer) }
    guard await mailbox.next() != nil else { throw CancellationError() }
  }

  /// Waits until a descriptor is ready, at most until the deadline; whether it is.
  ///
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  package func ready(
    _ descriptor: Int32, for readiness: SocketCalls.Readiness,
    until deadline: SuspendingClock.Instant
  ) async throws(CancellationError) -> Bool {
    let mailbox = Mailbox<Bool>()
    let watch = watch(descriptor, for: readiness, once: true) { mailbox.send(true) }
    let timer = schedule(at: deadline) { mailbox.send(false) }
    defer {
      cancel(watch)
      cancel(timer)
    }
    guard let isReady = await mailbox.next() else { throw CancellationError() }
    return isReady
  }
}
