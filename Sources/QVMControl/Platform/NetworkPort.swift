#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient

/// Ports of this host, for port forwarding.
package enum NetworkPort {
  /// What a port is of.
  package enum Transport: String, Sendable, Hashable, CaseIterable {
    case tcp, udp

    fileprivate var socketType: Int32 {
      #if canImport(Darwin) || canImport(Musl)
        self == .tcp ? SOCK_STREAM : SOCK_DGRAM
      #else
        Int32(self == .tcp ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue)
      #endif
    }
  }

  /// Whether QEMU could listen at a port.
  package enum Availability: Sendable, Hashable {
    case free, taken
    /// This user may not listen there.
    case notPermitted
    /// The host does not have the address.
    case noSuchAddress
  }

  private static func socketAddress(_ address: String, _ port: Int) -> sockaddr_in? {
    var result = sockaddr_in()
    result.sin_family = sa_family_t(AF_INET)
    result.sin_port = in_port_t(UInt16(clamping: port)).bigEndian
    let text = address.isEmpty ? "0.0.0.0" : address
    guard inet_pton(AF_INET, text, &result.sin_addr) == 1 else { return nil }
    return result
  }

  private static func with(
    _ address: sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = address
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// Whether this host has an address. An empty one means all interfaces.
  package static func isOwn(_ address: String) -> Bool {
    guard let target = socketAddress(address, 0) else { return false }
    let number = socket(AF_INET, Transport.tcp.socketType, 0)
    // Without a descriptor it is unknown; assume that it has.
    guard number >= 0 else { return true }
    defer { close(number) }
    return with(target, { bind(number, $0, $1) }) == 0 || errno != EADDRNOTAVAIL
  }

  /// Whether QEMU could listen there now. An empty address means all interfaces.
  package static func isFree(
    _ port: Int, on address: String, _ transport: Transport = .tcp
  ) -> Bool {
    availability(port, on: address, transport) == .free
  }

  /// Whether QEMU could listen there now, and if not, why. Tries it with the same calls as QEMU.
  ///
  /// - Parameters:
  ///   - port: The port; 0 to ask only about the address.
  ///   - address: The address; an empty one means all interfaces.
  ///   - transport: TCP or UDP.
  /// - Returns: The answer, which may be another one a moment later.
  package static func availability(
    _ port: Int, on address: String, _ transport: Transport = .tcp
  ) -> Availability {
    guard let number = listening(port, on: address, transport) else {
      return switch errno {
      case EACCES, EPERM: .notPermitted
      case EADDRNOTAVAIL: .noSuchAddress
      default: .taken
      }
    }
    close(number)
    return .free
  }

  /// A port that is free now, as the kernel chooses it; nil if there is none.
  package static func free(on address: String, _ transport: Transport) -> Int? {
    guard let number = listening(0, on: address, transport) else { return nil }
    defer { close(number) }
    var bound = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &bound) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
    }
    return result == 0 ? Int(in_port_t(bigEndian: bound.sin_port)) : nil
  }

  /// A socket that listens there; nil, and the cause in `errno`, if that is not possible.
  private static func listening(
    _ port: Int, on address: String, _ transport: Transport
  ) -> Int32? {
    guard let target = socketAddress(address, port) else {
      errno = EADDRNOTAVAIL
      return nil
    }
    let number = socket(AF_INET, transport.socketType, 0)
    guard number >= 0 else { return nil }
    var isListening = false
    if transport == .tcp {
      var on: Int32 = 1
      setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    if with(target, { bind(number, $0, $1) }) == 0 {
      #if canImport(Darwin)
        isListening = transport == .udp || Darwin.listen(number, 1) == 0
      #elseif canImport(Glibc)
        isListening = transport == .udp || Glibc.listen(number, 1) == 0
      #else
        isListening = transport == .udp || Musl.listen(number, 1) == 0
      #endif
    }
    if isListening { return number }
    let cause = errno
    close(number)
    errno = cause
    return nil
  }

  /// Starts to connect. The descriptor becomes writable when the connection is made or has failed.
  package static func connect(
    to address: String, port: Int
  ) throws(SystemError) -> Descriptor {
    guard let target = socketAddress(address, port) else {
      throw SystemError(call: "inet_pton", code: EINVAL)
    }
    let number = socket(AF_INET, Transport.tcp.socketType, 0)
    guard number >= 0 else { throw .last("socket") }
    let descriptor = Descriptor(owning: number)
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
    #if canImport(Darwin)
      let result = with(target) { Darwin.connect(number, $0, $1) }
    #elseif canImport(Glibc)
      let result = with(target) { Glibc.connect(number, $0, $1) }
    #else
      let result = with(target) { Musl.connect(number, $0, $1) }
    #endif
    if result != 0, errno != EINPROGRESS { throw .last("connect") }
    return descriptor
  }
}

extension NetworkPort {
  #if canImport(Darwin)
    /// Always nil: on this system the process that listens on a port isn't simple to find.
    static func listener(on port: Int, _ transport: Transport = .tcp) -> [String]? { nil }
  #else
    /// The command line of a process that listens on a port of IPv4; nil if there is none that this user
    /// may inspect.
    static func listener(on port: Int, _ transport: Transport = .tcp) -> [String]? {
      let sockets = listeningSockets(on: port, transport)
      if sockets.isEmpty { return nil }
      for name in Files.list("/proc") where Int32(name) != nil {
        let links = Files.list("/proc/\(name)/fd").lazy.compactMap {
          Files.linkTarget("/proc/\(name)/fd/\($0)")
        }
        guard links.contains(where: sockets.contains),
          let text = Files.text("/proc/\(name)/cmdline")
        else { continue }
        return text.split(separator: "\0").map(String.init)
      }
      return nil
    }

    /// The listening sockets, as the links in `/proc/PID/fd` name them.
    private static func listeningSockets(
      on port: Int, _ transport: Transport
    ) -> Set<String> {
      // The state of a socket of UDP is that of one that is not connected.
      let isListening = transport == .tcp ? "0A" : "07"
      var found: Set<String> = []
      for line in Files.text("/proc/net/\(transport.rawValue)")?.split(separator: "\n").dropFirst()
        ?? []
      {
        // Column 2 is the address in hexadecimal, column 4 the state, column 10 the inode.
        let columns = line.split(separator: " ")
        guard columns.count > 9, columns[3] == isListening,
          let place = columns[1].split(separator: ":").last, Int(place, radix: 16) == port
        else { continue }
        found.insert("socket:[\(columns[9])]")
      }
      return found
    }
  #endif
}
