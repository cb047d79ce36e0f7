#if !canImport(Darwin)
  internal import QMPClient
#endif

extension NetworkPort {
  #if canImport(Darwin)
    /// The words of the command of a process that listens on a port; nil, since the system doesn't tell
    /// it simply.
    static func listener(on port: Int) -> [String]? { nil }
  #else
    /// The words of the command of a process that listens on a TCP port of IPv4; nil where none of those
    /// that this user may look at does.
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

    /// The sockets, as the links of those who have them open name them.
    private static func listeningSockets(on port: Int) -> Set<String> {
      let isListening = "0A"
      var found: Set<String> = []
      for line in Files.text("/proc/net/tcp")?.split(separator: "\n").dropFirst() ?? [] {
        // Of the columns the second is the address, in hexadecimal, the fourth the state, the tenth
        // the inode.
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
