#if !canImport(Darwin)
  internal import QMPClient
#endif

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
