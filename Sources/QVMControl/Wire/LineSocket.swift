package import QMPClient

/// One side of a control connection: lines of JSON over a socket, on the event loop.
package actor LineSocket {
  /// A longer line, in bytes, ends the connection.
  private static let longestLine = 1 << 20
  /// A peer that leaves more bytes than this unread loses the connection.
  private static let mostUnsent = 1 << 20

  package enum Input: Sendable {
    case line(JSONValue)
    case ended
  }

  private let loop: EventLoop
  private var descriptor: Descriptor?
  private var reading: EventLoop.Token?
  private var writing: EventLoop.Token?
  private var received: [UInt8]
  /// Whether no lines are read at the moment.
  private var isPaused = false
  /// Whether ``takeLines()`` is running.
  private var isTakingLines = false
  private var isStarted = false
  private var unsent: [UInt8] = []
  private let receive: @Sendable (Input) -> Void

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    loop.asUnownedSerialExecutor()
  }

  /// Takes over a connected socket; ``start()`` begins to read it.
  ///
  /// - Parameters:
  ///   - descriptor: The socket.
  ///   - received: What was read from it before.
  ///   - loop: The loop that reads it.
  ///   - receive: Called on the loop with each line, and at the end.
  package init(
    _ descriptor: Descriptor, received: [UInt8] = [], on loop: EventLoop,
    receive: @escaping @Sendable (Input) -> Void
  ) {
    self.descriptor = descriptor
    self.received = received
    self.loop = loop
    self.receive = receive
  }

  package func start() {
    isStarted = true
    watchForLines()
    takeLines()
  }

  private func watchForLines() {
    guard let descriptor, reading == nil else { return }
    reading = loop.watch(descriptor.number, for: .read) { [weak self] in
      self?.assumeIsolated { $0.read() }
    }
  }

  /// Reads no further line until ``resume()``. Meanwhile, the peer's bytes stay in the kernel.
  package func pause() {
    isPaused = true
    if let reading { loop.cancel(reading) }
    reading = nil
  }

  /// Ends ``pause()``: reads on once the peer has taken everything that was sent.
  package func resume() {
    guard isPaused else { return }
    isPaused = false
    if unsent.isEmpty { resumeReading() }
  }

  private func resumeReading() {
    takeLines()
    if !isPaused { watchForLines() }
  }

  private func read() {
    guard let descriptor else { return }
    switch SocketCalls.receive(descriptor.number) {
    case .bytes(let bytes):
      received.append(contentsOf: bytes)
      takeLines()
    case .wouldBlock: break
    case .closed, .failed: end()
    }
  }

  private func takeLines() {
    // `receive` may call `pause()` and `resume()` before it returns.
    if isTakingLines { return }
    isTakingLines = true
    defer { isTakingLines = false }
    var begin = received.startIndex
    while !isPaused, let newline = received[begin...].firstIndex(of: 0x0A) {
      let line = Array(received[begin..<newline])
      begin = newline + 1
      // A line that isn't JSON is no request.
      if let json = try? JSONValue(parsing: line) { receive(.line(json)) }
      if descriptor == nil { return }
    }
    received.removeSubrange(..<begin)
    if !isPaused, received.count > Self.longestLine { end() }
  }

  /// Sends a line without waiting; a peer that doesn't read loses the connection.
  package func send(_ json: JSONValue) {
    guard descriptor != nil else { return }
    unsent.append(contentsOf: json.bytes)
    unsent.append(0x0A)
    flush()
    if unsent.count > Self.mostUnsent { end() }
  }

  private func flush() {
    guard let descriptor else { return }
    loop: while !unsent.isEmpty {
      switch unsent.withUnsafeBytes({ SocketCalls.send(descriptor.number, $0) }) {
      case .bytes(let count): unsent.removeFirst(count)
      case .wouldBlock: break loop
      // The reading side reports the end, after what the peer sent before it.
      case .closed, .failed: unsent = []
      }
    }
    if unsent.isEmpty {
      if let writing { loop.cancel(writing) }
      writing = nil
      // `resume()` was waiting for this.
      if isStarted, !isPaused, reading == nil { resumeReading() }
    } else if writing == nil {
      writing = loop.watch(descriptor.number, for: .write) { [weak self] in
        self?.assumeIsolated { $0.flush() }
      }
    }
  }

  private func end() {
    guard descriptor != nil else { return }
    close()
    receive(.ended)
  }

  /// Closes the socket; `receive` isn't called any more.
  package func close() {
    for token in [reading, writing].compactMap(\.self) { loop.cancel(token) }
    reading = nil
    writing = nil
    descriptor = nil
  }
}
