#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient

/// A service manager's datagram socket for its services' state: `sd_notify(3)`.
struct NotifySocket: Sendable {
  #if canImport(Darwin) || canImport(Musl)
    private static let datagramType = SOCK_DGRAM
  #else
    private static let datagramType = Int32(SOCK_DGRAM.rawValue)
  #endif
  #if canImport(Darwin)
    private static let sendFlags = Int32(MSG_DONTWAIT)
  #else
    private static let sendFlags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
  #endif

  /// The bytes of the address. An abstract address begins with a zero byte.
  private let name: [UInt8]

  /// Removes the address from the environment, so that children don't inherit it; nil if there is
  /// none. Call it before any thread is started.
  static func takeFromEnvironment() -> NotifySocket? {
    defer { unsetenv("NOTIFY_SOCKET") }
    return Host.environment("NOTIFY_SOCKET").flatMap { NotifySocket($0) }
  }

  /// An absolute path, or a name that begins with `@` for an abstract address; nil for any other.
  init?(_ address: String) {
    var name = Array(address.utf8)
    guard name.count > 1, name.count <= SocketCalls.longestPath else { return nil }
    switch name[0] {
    case UInt8(ascii: "/"): break
    case UInt8(ascii: "@"): name[0] = 0
    default: return nil
    }
    self.name = name
  }

  /// Sends a message if that is possible at once. Returns whether it was sent.
  @discardableResult
  func send(_ text: String) -> Bool {
    let number = socket(AF_UNIX, Self.datagramType, 0)
    guard number >= 0 else { return false }
    defer { close(number) }
    _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    // An abstract address may contain any byte, so its length ends it.
    let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
    let length = socklen_t(name[0] == 0 ? offset + name.count : MemoryLayout<sockaddr_un>.size)
    let bytes = Array(text.utf8)
    let sent = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(number, bytes, bytes.count, Self.sendFlags, $0, length)
      }
    }
    return sent == bytes.count
  }
}
