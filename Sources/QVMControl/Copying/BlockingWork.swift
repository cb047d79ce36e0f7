internal import QMPClient
internal import Synchronization

/// Work that blocks, on a thread of its own.
final class BlockingWork<Value: Sendable>: Sendable {
  private struct State: Sendable {
    var result: Result<Value, any Error>?
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  init(_ body: @escaping @Sendable () throws -> Value) {
    let isStarted = startThread { [self] in
      let result = Result { try body() }
      end(with: result)
    }
    if !isStarted { end(with: .failure(SystemError.noThread)) }
  }

  private func end(with result: Result<Value, any Error>) {
    let waiter = state.withLock { state in
      state.result = result
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// Waits for its end, also if the task is cancelled. To be called once.
  func result() async -> Result<Value, any Error> {
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        if state.result == nil { state.waiter = continuation }
        return state.result != nil
      }
      if isDone { continuation.resume() }
    }
    return state.withLock { $0.result } ?? .failure(CancellationError())
  }
}
