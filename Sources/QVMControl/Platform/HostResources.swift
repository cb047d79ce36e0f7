#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// What the host has for guests.
extension Host {
  /// The processors that are online; at least one.
  package static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// The memory that new programs can use without swapping, in bytes; nil if unknown.
  package static var availableMemory: Int? {
    #if canImport(Darwin)
      // macOS keeps little memory free, and gives back most of what caches hold. So half of all counts.
      var total: UInt64 = 0
      var size = MemoryLayout<UInt64>.size
      guard sysctlbyname("hw.memsize", &total, &size, nil, 0) == 0 else { return nil }
      return Int(total / 2)
    #else
      let free = Files.text("/proc/meminfo").flatMap(availableMemory(in:))
      // In a container the limit of its control group counts, too.
      return [free, MemoryGroup(of: processID)?.limit].compactMap(\.self).min()
    #endif
  }

  /// The line `MemAvailable` of `/proc/meminfo`, in bytes.
  static func availableMemory(in text: String) -> Int? {
    for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
      let words = line.split(separator: " ")
      return words.count > 1 ? Int(words[1]).map { $0 * 1024 } : nil
    }
    return nil
  }
}
