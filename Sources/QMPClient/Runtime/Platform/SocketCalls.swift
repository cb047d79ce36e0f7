#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// The libc calls behind every Unix socket of this package.
///
/// Each function means the same on every platform. Descriptors are close-on-exec. An inherited
/// descriptor never becomes `O_NONBLOCK`, because other processes that hold it share that flag.
package enum SocketCalls {
  // Close-on-exec from the start, if the kernel can. Otherwise another thread may spawn QEMU
  // between socket(2) and fcntl(2), and QEMU would keep this socket open until it exits.
  #if canImport(Darwin)
    private static let streamType = SOCK_STREAM
  #elseif canImport(Musl)
    private static let streamType = Int32(SOCK_STREAM) | Int32(SOCK_CLOEXEC)
  #else
    private static let streamType = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
  #endif

  #if canImport(Darwin)
    // Darwin has no MSG_NOSIGNAL: SO_NOSIGPIPE is set on each socket instead.
    private static let sendFlags = Int32(MSG_DONTWAIT)
  #else
    private static let sendFlags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
  #endif
  private static let receiveFlags = Int32(MSG_DONTWAIT)

  /// The longest socket path that the kernel accepts, in bytes without the final NUL: 107 on Linux,
  /// 103 on macOS.
  package static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

  private static func prepare(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    #if canImport(Darwin)
      var on: Int32 = 1
      setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
    #endif
  }

  /// A pair of connected sockets.
  package static func pair() throws(SystemError) -> (Descriptor, Descriptor) {
    var numbers: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, streamType, 0, &numbers) == 0 else { throw .last("socketpair") }
    prepare(numbers[0])
    prepare(numbers[1])
    return (Descriptor(owning: numbers[0]), Descriptor(owning: numbers[1]))
  }

  private static func withAddress(
    _ path: String, _ call: String,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws(SystemError) {
    let bytes = Array(path.utf8)
    guard bytes.count <= longestPath else { throw SystemError(call: call, code: ENAMETOOLONG) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    if result != 0 { throw .last(call) }
  }

  /// Connects to a listening Unix socket, without waiting for room in the listener's queue.
  ///
  /// - Throws: `ENAMETOOLONG` for a path over ``longestPath``, `ENOENT`, `ECONNREFUSED` if no
  ///   process listens, `EAGAIN` if the queue is full.
  package static func connect(_ path: String) throws(SystemError) -> Descriptor {
    let number = socket(AF_UNIX, streamType, 0)
    guard number >= 0 else { throw .last("socket") }
    let descriptor = Descriptor(owning: number)
    prepare(number)
    // If the listener hangs, a full queue would block connect(2). Non-blocking for this call alone,
    // it is an error instead. No other process shares this socket yet.
    let flags = fcntl(number, F_GETFL)
    _ = fcntl(number, F_SETFL, flags | O_NONBLOCK)
    #if canImport(Darwin)
      try withAddress(path, "connect") { Darwin.connect(number, $0, $1) }
    #elseif canImport(Glibc)
      try withAddress(path, "connect") { Glibc.connect(number, $0, $1) }
    #else
      try withAddress(path, "connect") { Musl.connect(number, $0, $1) }
    #endif
    _ = fcntl(number, F_SETFL, flags)
    return descriptor
  }

  /// Whether a process listens on a Unix socket. Never waits.
  ///
  /// True if unknown. The listener sees a connection that is closed at once.
  package static func isListening(_ path: String) -> Bool {
    do throws(SystemError) {
      _ = try connect(path)
      return true
    } catch {
      return ![ECONNREFUSED, ENOENT, ENOTSOCK, ENOTDIR].contains(error.code)
    }
  }

  /// Listens at a path that must not exist yet, with mode 0600.
  package static func listen(_ path: String) throws(SystemError) -> Descriptor {
    let number = socket(AF_UNIX, streamType, 0)
    guard number >= 0 else { throw .last("socket") }
    let descriptor = Descriptor(owning: number)
    prepare(number)
    // accept(2) must not block if a client gives up between poll and accept. No other process
    // shares this socket.
    _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
    try withAddress(path, "bind") { bind(number, $0, $1) }
    _ = chmod(path, 0o600)
    #if canImport(Darwin)
      let result = Darwin.listen(number, 64)
    #elseif canImport(Glibc)
      let result = Glibc.listen(number, 64)
    #else
      let result = Musl.listen(number, 64)
    #endif
    if result != 0 { throw .last("listen") }
    return descriptor
  }

  /// The next waiting client; nil if there is none.
  package static func accept(on listener: Descriptor) -> Descriptor? {
    while true {
      #if canImport(Darwin)
        let number = Darwin.accept(listener.number, nil, nil)
      #elseif canImport(Glibc)
        let number = Glibc.accept(listener.number, nil, nil)
      #else
        let number = Musl.accept(listener.number, nil, nil)
      #endif
      if number >= 0 {
        prepare(number)
        return Descriptor(owning: number)
      }
      if errno != EINTR { return nil }
    }
  }

  /// The result of a read or a write: some bytes, or why there were none.
  package enum Transfer<Bytes: Sendable>: Sendable {
    case bytes(Bytes)
    /// The kernel's buffer is empty (read) or full (write): wait with `poll` and retry.
    case wouldBlock
    /// The peer has closed: end of file, `ECONNRESET` or `EPIPE`.
    case closed
    case failed(SystemError)
  }

  /// Reads what is available, without waiting.
  ///
  /// - Parameters:
  ///   - descriptor: A socket.
  ///   - room: How much to read at most, in bytes. A larger buffer than needed costs a short-lived
  ///     process time, because its memory is new.
  /// - Returns: The bytes, or why there are none.
  package static func receive(
    _ descriptor: Int32, atMost room: Int = 1 << 16
  ) -> Transfer<[UInt8]> {
    withUnsafeTemporaryAllocation(byteCount: room, alignment: 16) { buffer in
      while true {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, receiveFlags)
        if count > 0 { return .bytes(Array(buffer[..<count])) }
        if count == 0 { return .closed }
        switch errno {
        case EINTR: continue
        case EAGAIN, EWOULDBLOCK: return .wouldBlock
        case ECONNRESET: return .closed
        default: return .failed(.last("recv"))
        }
      }
    }
  }

  /// The first bytes that a socket has received, without removing them.
  ///
  /// - Parameters:
  ///   - descriptor: A socket, which may still be connecting.
  ///   - room: How many bytes to return at most.
  /// - Returns: The bytes, or why there are none, such as a failed connection.
  package static func peek(_ descriptor: Int32, atMost room: Int) -> Transfer<[UInt8]> {
    var bytes = [UInt8](repeating: 0, count: room)
    while true {
      let count = recv(descriptor, &bytes, room, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
      if count > 0 { return .bytes(Array(bytes[..<count])) }
      if count == 0 { return .closed }
      switch errno {
      case EINTR: continue
      case EAGAIN, EWOULDBLOCK: return .wouldBlock
      case ECONNRESET: return .closed
      default: return .failed(.last("connect"))
      }
    }
  }

  /// Writes as much as fits, without waiting and without SIGPIPE.
  package static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Transfer<Int> {
    while true {
      #if canImport(Darwin)
        let count = Darwin.send(descriptor, bytes.baseAddress, bytes.count, sendFlags)
      #elseif canImport(Glibc)
        let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, sendFlags)
      #else
        let count = Musl.send(descriptor, bytes.baseAddress, bytes.count, sendFlags)
      #endif
      if count >= 0 { return .bytes(count) }
      switch errno {
      case EINTR: continue
      case EAGAIN, EWOULDBLOCK: return .wouldBlock
      case EPIPE, ECONNRESET: return .closed
      default: return .failed(.last("send"))
      }
    }
  }

  /// The user of the peer of a Unix socket at the time when it connected, or began to listen; nil
  /// if the system doesn't know.
  package static func peerUserID(_ descriptor: Int32) -> UInt32? {
    #if canImport(Darwin)
      var (user, group) = (uid_t(), gid_t())
      return getpeereid(descriptor, &user, &group) == 0 ? user : nil
    #else
      // struct ucred of unix(7): process, user and group.
      var credentials: (Int32, UInt32, UInt32) = (0, 0, 0)
      var size = socklen_t(MemoryLayout.size(ofValue: credentials))
      let result = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size)
      return result == 0 ? credentials.1 : nil
    #endif
  }

  /// Shuts down writing: the peer reads an end of file and can still write.
  package static func endWriting(_ descriptor: Int32) { _ = shutdown(descriptor, Int32(SHUT_WR)) }
}
