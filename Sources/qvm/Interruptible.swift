import QMPClient
import QVMControl

/// Runs a command that does one thing and then exits.
enum Interruptible {
  /// Runs an operation on a loop of its own, and cancels it at the first signal that asks qvm to exit.
  ///
  /// - Parameter operation: Gets the loop that it runs on.
  /// - Returns: What the operation returns.
  /// - Throws: What the operation throws, such as `CancellationError` if it was cancelled.
  static func run<Value: Sendable>(
    _ operation: @escaping @Sendable (EventLoop) async throws -> Value
  ) throws -> Value {
    let signals = Mailbox<Signal>()
    Signal.handle([.interrupt, .terminate, .hangUp, .quit]) { signals.send($0) }
    let loop = try EventLoop()
    return try loop.run {
      try await SignalCancellation.cancelling(on: signals, loop) { try await operation(loop) }
    }
  }
}
