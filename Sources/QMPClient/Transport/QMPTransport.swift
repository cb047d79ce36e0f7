/// Bytes to and from a QEMU monitor.
///
/// The real one is ``SocketTransport``; ``RecordingTransport`` wraps any other and writes down
/// what passes.
public protocol QMPTransport: Sendable {
  /// Begins to deliver what QEMU sends, on the loop, until `close()` or the end.
  ///
  /// After `.closed` or `.failed` nothing more comes.
  func start(on loop: EventLoop, _ receive: @escaping @Sendable (QMPInput) -> Void)

  /// Sends bytes, in order, without waiting; what the kernel doesn't take yet is kept.
  func send(_ bytes: [UInt8])

  /// Ends the connection; idempotent.
  func close()
}

/// What comes out of a transport.
public enum QMPInput: Sendable {
  /// Some bytes, cut anywhere.
  case bytes([UInt8])
  /// QEMU hung up.
  case closed
  /// The socket failed.
  case failed(SystemError)
}
