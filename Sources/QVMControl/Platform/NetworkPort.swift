#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient

/// TCP on this host, for port forwarding.
package enum NetworkPort {
  #if canImport(Darwin) || canImport(Musl)
    private static let streamType = SOCK_STREAM
  #else
    private static let streamType = Int32(SOCK_STREAM.rawValue)
  #endif

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
    let number = socket(AF_INET, streamType, 0)
    // Without a descriptor it is unknown; assume that it has.
    guard number >= 0 else { return true }
    defer { close(number) }
    return with(target, { bind(number, $0, $1) }) == 0 || errno != EADDRNOTAVAIL
  }

  /// Whether QEMU could listen there now. Tries it with the same calls as QEMU. An empty address
  /// means all interfaces.
  package static func isFree(_ port: Int, on address: String) -> Bool {
    guard let target = socketAddress(address, port) else { return false }
    let number = socket(AF_INET, streamType, 0)
    guard number >= 0 else { return false }
    defer { close(number) }
    var on: Int32 = 1
    setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    guard with(target, { bind(number, $0, $1) }) == 0 else { return false }
    #if canImport(Darwin)
      return Darwin.listen(number, 1) == 0
    #elseif canImport(Glibc)
      return Glibc.listen(number, 1) == 0
    #else
      return Musl.listen(number, 1) == 0
    #endif
  }

  /// Starts to connect. The descriptor becomes writable when the connection is made or has failed.
  package static func connect(
    to address: String, port: Int
  ) throws(SystemError) -> Descriptor {
    guard let target = socketAddress(address, port) else {
      throw SystemError(call: "inet_pton", code: EINVAL)
    }
    let number = socket(AF_INET, streamType, 0)
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
    static func listener(on port: Int) -> [String]? { nil }
  #else
    /// The command line of a process that listens on a TCP port of IPv4; nil if there is none that
    /// this user may inspect.
    static func listener(on port: Int) -> [String]? {
      let sockets = listeningSockets(on: port)
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
    private static func listeningSockets(on port: Int) -> Set<String> {
      let isListening = "0A"
      var found: Set<String> = []
      for line in Files.text("/proc/net/tcp")?.split(separator: "\n").dropFirst() ?? [] {
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
