#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient
internal import Synchronization

/// Tells a thread that waits in a ``ByteStream`` to stop.
///
/// The thread itself makes the sign or gets it; any other may raise it, for instance the handler of
/// a task's cancellation.
package final class StopSign: Sendable {
  private let raised = Atomic(false)
  private let reader: Descriptor
  private let writer: Descriptor

  package init() throws(SystemError) { (reader, writer) = try SocketCalls.pair() }

  /// Ends each wait that looks at this sign, now and later.
  package func raise() {
    raised.store(true, ordering: .sequentiallyConsistent)
    _ = shutdown(writer.number, Int32(SHUT_RDWR))
  }

  package var isRaised: Bool { raised.load(ordering: .sequentiallyConsistent) }

  /// Throws `CancellationError` if the sign is raised.
  package func check() throws {
    if isRaised { throw CancellationError() }
  }

  /// Waits without end until a descriptor is ready or has failed, or until the sign is raised.
  func wait(for events: Int32, of descriptor: Int32) throws {
    var entries = [
      pollfd(fd: descriptor, events: Int16(events), revents: 0),
      pollfd(fd: reader.number, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      try check()
      let count = poll(&entries, 2, -1)
      if count < 0, errno != EINTR { throw SystemError.last("poll") }
      if count > 0, entries[0].revents != 0 { return }
    }
  }
}

/// A pipe, a socket or a file whose bytes are read or written one after the other.
///
/// A pipe or a socket becomes non-blocking, so that a ``StopSign`` ends the wait for the other side.
/// So no other code or process may use its open file description.
package struct ByteStream: Sendable {
  let descriptor: Descriptor
  private let stop: StopSign

  package init(_ descriptor: Descriptor, stop: StopSign) {
    self.descriptor = descriptor
    self.stop = stop
    var status = stat()
    if fstat(descriptor.number, &status) == 0,
      [S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT)
    {
      let flags = fcntl(descriptor.number, F_GETFL)
      if flags & O_NONBLOCK == 0 { _ = fcntl(descriptor.number, F_SETFL, flags | O_NONBLOCK) }
    }
  }

  /// Writes all bytes.
  ///
  /// - Throws: `SystemError` (`EPIPE` if the reader has gone), `CancellationError`.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    try stop.check()
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      #if canImport(Darwin)
        let count = Darwin.write(descriptor.number, part.baseAddress, part.count)
      #elseif canImport(Glibc)
        let count = Glibc.write(descriptor.number, part.baseAddress, part.count)
      #else
        let count = Musl.write(descriptor.number, part.baseAddress, part.count)
      #endif
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno == EAGAIN {
        try stop.wait(for: Int32(POLLOUT), of: descriptor.number)
      } else if errno != EINTR {
        throw SystemError.last("write")
      }
    }
  }

  /// Reads once. Returns the number of bytes; 0 at the end.
  ///
  /// - Throws: `SystemError`, `CancellationError`.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    try stop.check()
    while true {
      let count = Self.readOnce(descriptor, into: buffer)
      if count >= 0 { return count }
      guard errno == EAGAIN else { throw SystemError.last("read") }
      try stop.wait(for: Int32(POLLIN), of: descriptor.number)
    }
  }

  /// Reads once. Returns the number of bytes; -1 with `errno` on an error.
  static func readOnce(
    _ descriptor: Descriptor, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    while true {
      #if canImport(Darwin)
        let count = Darwin.read(descriptor.number, buffer.baseAddress, buffer.count)
      #elseif canImport(Glibc)
        let count = Glibc.read(descriptor.number, buffer.baseAddress, buffer.count)
      #else
        let count = Musl.read(descriptor.number, buffer.baseAddress, buffer.count)
      #endif
      if count >= 0 || errno != EINTR { return count }
    }
  }
}
