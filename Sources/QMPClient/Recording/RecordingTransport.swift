/// A transport that records what passes through another one.
public final class RecordingTransport: QMPTransport {
  private let transport: any QMPTransport
  private let recorder: QMPRecorder

  /// Wraps a transport that was not started yet.
  public init(wrapping transport: any QMPTransport, to recorder: QMPRecorder) {
    self.transport = transport
    self.recorder = recorder
  }

  /// Starts to read from the other transport.
  public func start(on loop: EventLoop, _ receive: @escaping @Sendable (QMPInput) -> Void) {
    transport.start(on: loop) { [recorder] input in
      switch input {
      case .bytes(let bytes): recorder.received(bytes)
      case .closed, .failed: recorder.ended(.qemuHungUp)
      }
      receive(input)
    }
  }

  /// Sends through the other transport.
  public func send(_ bytes: [UInt8]) {
    recorder.sent(bytes)
    transport.send(bytes)
  }

  /// Closes the other transport.
  public func close() {
    recorder.ended(.clientHungUp)
    transport.close()
  }
}
