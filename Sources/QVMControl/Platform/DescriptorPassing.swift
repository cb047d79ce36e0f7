#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient

extension SocketCalls {
  /// Passes a descriptor to the peer of a Unix socket, with one byte of no meaning. ssh expects
  /// that from its `ProxyCommand`: `ProxyUseFdpass` in `ssh_config(5)`.
  ///
  /// The descriptor becomes blocking, for all processes that share it.
  package static func pass(_ descriptor: Int32, to socket: Int32) throws(SystemError) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
    // What the macros CMSG_DATA and CMSG_SPACE of <sys/socket.h> compute.
    #if canImport(Darwin)
      let alignment = MemoryLayout<UInt32>.size
    #else
      let alignment = MemoryLayout<Int>.size
    #endif
    func aligned(_ size: Int) -> Int { (size + alignment - 1) / alignment * alignment }
    let size = MemoryLayout<Int32>.size
    let start = aligned(MemoryLayout<cmsghdr>.size)
    let result = withUnsafeTemporaryAllocation(
      byteCount: start + aligned(size), alignment: 16
    ) { control in
      control.initializeMemory(as: UInt8.self, repeating: 0)
      var header = cmsghdr()
      header.cmsg_len = .init(start + size)
      header.cmsg_level = SOL_SOCKET
      header.cmsg_type = Int32(SCM_RIGHTS)
      control.storeBytes(of: header, as: cmsghdr.self)
      control.storeBytes(of: descriptor, toByteOffset: start, as: Int32.self)
      var byte: UInt8 = 0
      return withUnsafeMutableBytes(of: &byte) { data in
        var part = iovec(iov_base: data.baseAddress, iov_len: data.count)
        return withUnsafeMutablePointer(to: &part) { parts in
          var message = msghdr()
          message.msg_iov = parts
          message.msg_iovlen = 1
          message.msg_control = control.baseAddress
          message.msg_controllen = .init(control.count)
          while true {
            let count = sendmsg(socket, &message, 0)
            if count >= 0 || errno != EINTR { return count }
          }
        }
      }
    }
    if result < 0 { throw .last("sendmsg") }
  }
}
