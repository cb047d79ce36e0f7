internal import Synchronization

/// A monitor behind a connected stream socket.
public final class SocketTransport: QMPTransport {
  private struct State {
    var descriptor: Descriptor?
    var loop: EventLoop?
    var receive: (@Sendable (QMPInput) -> Void)?
    var reading: EventLoop.Token?
    var writing: EventLoop.Token?
    var unsent: [UInt8] = []
  }

  private let state: Mutex<State>

  /// Takes over a connected socket.
  package init(_ descriptor: Descriptor) { state = Mutex(State(descriptor: descriptor)) }

  /// Takes over a connected socket, such as one end of a `socketpair`, and closes it at the end.
  public convenience init(owning descriptor: Int32) {
    self.init(Descriptor(owning: descriptor))
  }

  /// Connects to a monitor that listens at a path.
  ///
  /// - Throws: `socketPathTooLong` or `cannotConnect`.
  public convenience init(path: String) throws(QMPError) {
    guard path.utf8.count <= SocketCalls.longestPath else {
      throw .socketPathTooLong(path: path, limit: SocketCalls.longestPath)
    }
    do throws(SystemError) {
      self.init(try SocketCalls.connect(path))
    } catch {
      throw .cannotConnect(path: path, error)
    }
  }

  deinit { close() }

  /// Starts to read, and sends what was queued before.
  public func start(on loop: EventLoop, _ receive: @escaping @Sendable (QMPInput) -> Void) {
    state.withLock { state in
      guard let descriptor = state.descriptor, state.loop == nil else { return }
      state.loop = loop
      state.receive = receive
      state.reading = loop.watch(descriptor.number, for: .read) { [weak self] in self?.read() }
      watchForRoom(&state, descriptor)
    }
  }

  /// Sends the rest when the kernel has room for it.
  private func watchForRoom(_ state: inout State, _ descriptor: Descriptor) {
    guard !state.unsent.isEmpty, state.writing == nil else { return }
    state.writing = state.loop?.watch(descriptor.number, for: .write) { [weak self] in
      self?.flush()
    }
  }

  private func read() {
    let (descriptor, receive) = state.withLock { ($0.descriptor, $0.receive) }
    guard let descriptor, let receive else { return }
    switch SocketCalls.receive(descriptor.number) {
    case .bytes(let bytes): receive(.bytes(bytes))
    case .wouldBlock: break
    case .closed:
      close()
      receive(.closed)
    case .failed(let error):
      close()
      receive(.failed(error))
    }
  }

  /// Sends all bytes of one turn of the loop with one system call, and queues what the kernel
  /// doesn't take.
  ///
  /// Errors are reported when reading: if the peer is gone, the input ends as well.
  public func send(_ bytes: [UInt8]) {
    state.withLock { state in
      guard state.descriptor != nil else { return }
      let isFlushComing = !state.unsent.isEmpty
      state.unsent.append(contentsOf: bytes)
      if !isFlushComing { state.loop?.perform { [weak self] in self?.flush() } }
    }
  }

  private static func send(_ bytes: ArraySlice<UInt8>, to descriptor: Descriptor) -> Int {
    bytes.withUnsafeBytes { buffer in
      switch SocketCalls.send(descriptor.number, buffer) {
      case .bytes(let count): count
      case .wouldBlock: 0
      case .closed, .failed: buffer.count
      }
    }
  }

  /// How many bytes are queued.
  package var unsentCount: Int { state.withLock { $0.unsent.count } }

  /// Whether so many bytes are queued that the sender should wait.
  package var isBehind: Bool { unsentCount > 1 << 16 }

  private func flush() {
    state.withLock { state in
      guard let descriptor = state.descriptor, !state.unsent.isEmpty else { return }
      let sent = Self.send(state.unsent[...], to: descriptor)
      if sent == state.unsent.count {
        state.unsent.removeAll(keepingCapacity: sent <= 1 << 16)
      } else {
        state.unsent.removeFirst(sent)
      }
      if !state.unsent.isEmpty {
        watchForRoom(&state, descriptor)
      } else if let writing = state.writing {
        state.loop?.cancel(writing)
        state.writing = nil
      }
    }
  }

  /// Stops reading and closes the socket.
  public func close() {
    let (descriptor, loop, tokens) = state.withLock { state in
      // A command of this turn, such as `quit`, must still be sent.
      if let descriptor = state.descriptor { _ = Self.send(state.unsent[...], to: descriptor) }
      defer {
        state.descriptor = nil
        state.receive = nil
        state.reading = nil
        state.writing = nil
        state.unsent = []
      }
      return (state.descriptor, state.loop, [state.reading, state.writing].compactMap(\.self))
    }
    // The loop must stop watching the descriptor before its number can be reused.
    withExtendedLifetime(descriptor) {
      for token in tokens { loop?.cancel(token) }
    }
  }
}
