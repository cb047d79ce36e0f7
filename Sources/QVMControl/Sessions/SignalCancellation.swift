package import QMPClient

/// Ends what a command is doing when the user wants it to.
package enum SignalCancellation {
  /// Runs an operation and cancels it at the first signal that asks for an end.
  ///
  /// A signal that comes too late to cancel anything is put back, for whoever reads them next.
  ///
  /// - Throws: What the operation throws, such as `CancellationError` when it was cancelled.
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
      // A program that the terminal told as well fails in its own words.
      throw CancellationError()
    }
  }
}
