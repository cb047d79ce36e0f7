internal import QMPClient

/// Standard input on its way to a guest's console.
///
/// A pipe may hold far more than the guest reads in a while. So standard input isn't read while the
/// console has bytes pending.
struct KeyboardInput {
  /// How often to check whether the console has room.
  private static let pause = Duration.milliseconds(50)

  private let loop: EventLoop
  private let receive: @Sendable ([UInt8]?) -> Void
  private let roomToType: @Sendable () -> Void
  private var reading: EventLoop.Token?
  private var isAtEnd = false

  /// Creates an input that doesn't read yet.
  ///
  /// - Parameters:
  ///   - loop: The loop that reads.
  ///   - receive: Called on the loop with what was typed; nil at the end of the input.
  ///   - roomToType: Called on the loop when it is time to call ``resume(_:)``.
  init(
    on loop: EventLoop, receive: @escaping @Sendable ([UInt8]?) -> Void,
    roomToType: @escaping @Sendable () -> Void
  ) {
    self.loop = loop
    self.receive = receive
    self.roomToType = roomToType
  }

  /// Begins to read, if it doesn't already and the input has not ended.
  mutating func read() {
    guard reading == nil, !isAtEnd else { return }
    reading = loop.watch(0, for: .read) { [receive] in receive(Files.readSome(0)) }
  }

  mutating func stop() {
    if let reading { loop.cancel(reading) }
    reading = nil
  }

  /// Stops for good at the end of the input. The guest keeps running.
  mutating func end() {
    isAtEnd = true
    stop()
  }

  /// If the console has bytes pending, stops reading until it has taken them.
  mutating func pauseIfBehind(_ console: SocketTransport?) {
    guard let console, console.isBehind, reading != nil else { return }
    stop()
    askAgain()
  }

  /// Resumes reading if the console has room.
  mutating func resume(_ console: SocketTransport?) {
    guard let console, reading == nil else { return }
    console.isBehind ? askAgain() : read()
  }

  private func askAgain() {
    _ = loop.schedule(at: .now.advanced(by: Self.pause)) { [roomToType] in roomToType() }
  }
}
