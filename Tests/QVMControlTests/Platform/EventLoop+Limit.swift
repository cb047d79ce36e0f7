import QMPClient

extension EventLoop {
  /// Runs a test's body and cancels it after a while: a wait for what never comes must fail, and a
  /// thread that runs a loop can't be given up from outside.
  func runLimited(_ body: @escaping @Sendable () async throws -> Void) throws {
    try run {
      let work = Task(executorPreference: self) { try await body() }
      let timer = self.schedule(at: .now.advanced(by: .seconds(20))) { work.cancel() }
      defer { self.cancel(timer) }
      try await work.value
    }
  }
}
