package import QMPClient

/// Cancels a command's work on a signal.
package enum SignalCancellation {
  /// Runs an operation, and cancels it at the first signal that asks for an end.
  ///
  /// A signal that comes too late to cancel anything is put back for the next reader.
  ///
  /// - Throws: What the operation throws; `CancellationError` if it was cancelled.
  package static func cancelling<Value: Sendable>(
    on signals: Mailbox<Signal>, _ loop: EventLoop,
    _ operation: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let work = Task(executorPreference: loop) { try await operation() }
    let watching = Task(executorPreference: loop) { () -> Signal? in
      while let signal = await signals.next() {
        guard signal.asksForEnd else {
          if signal == .terminalStop { Signal.stopThisProcess() }
          continue
        }
        work.cancel()
        return signal
      }
      return nil
    }
    let result = await work.result
    watching.cancel()
    guard let signal = await watching.value else { return try result.get() }
    if case .success = result { signals.send(signal) }
    do { return try result.get() } catch {
      // The terminal sends the signal to child processes too, and they fail with errors of their own.
      throw CancellationError()
    }
  }
}
