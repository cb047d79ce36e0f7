/// Bytes to and from a QEMU monitor.
///
/// ``SocketTransport`` is the real one. ``RecordingTransport`` wraps another one and records what
/// passes.
public protocol QMPTransport: Sendable {
  /// Starts to deliver what QEMU sends, on the loop, until `close()` or the end.
  ///
  /// `.closed` or `.failed` is the last input.
  func start(on loop: EventLoop, _ receive: @escaping @Sendable (QMPInput) -> Void)

  /// Sends bytes in order, without waiting. Bytes that the kernel doesn't take yet are queued.
  func send(_ bytes: [UInt8])

  /// Ends the connection; idempotent.
  func close()
}

/// What a transport delivers.
public enum QMPInput: Sendable {
  /// Some bytes, divided anywhere.
  case bytes([UInt8])
  /// QEMU hung up.
  case closed
  /// The socket failed.
  case failed(SystemError)
}
