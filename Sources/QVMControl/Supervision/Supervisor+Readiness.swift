internal import QMPClient

extension Supervisor {
  /// Looks out for the sign that the guest is up, from its start or a reset on.
  ///
  /// - Parameter offset: Where in the console's log its words begin, in bytes.
  func watchReadiness(from offset: Int) {
    readinessWatch.task?.cancel()
    let number = readinessWatch.number + 1
    guard let target, let sign = ReadySign(of: target, boot, files, consoleOffset: offset) else {
      isReady = nil
      readinessWatch = (number, nil)
      return
    }
    isReady = false
    let (inputs, loop) = (inputs, loop)
    let task = Task(executorPreference: loop) {
      do {
        try await sign.appears(on: loop)
        inputs.send(.ready(true, number))
      } catch is CancellationError {
      } catch {
        inputs.send(.ready(nil, number))
      }
    }
    readinessWatch = (number, task)
  }

  /// Takes the word of a client that was quicker: what it does next counts on the guest being up, and
  /// the status must not say otherwise.
  func seenReady() {
    guard isReady == false else { return }
    readinessWatch.task?.cancel()
    isReady = true
  }
}
