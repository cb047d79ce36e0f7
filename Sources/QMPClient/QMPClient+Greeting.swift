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
