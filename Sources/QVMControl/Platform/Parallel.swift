#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient
internal import Synchronization

/// Work that the processors can share, for commands without tasks.
enum Parallel {
  /// More than these gain nothing where each waits for the same folder.
  private static let mostThreads = 4

  /// Results of threads, by where their part begins.
  private final class Parts<Result: Sendable>: Sendable {
    let results = Mutex<[Int: [Result]]>([:])
  }

  /// Does something for each number from 0, part by part, on as many threads as there are processors;
  /// on this one alone where no other is to be had.
  ///
  /// - Parameters:
  ///   - count: How many numbers there are.
  ///   - least: How many are worth a thread.
  ///   - body: What is done for one.
  /// - Returns: What came of it, in the order of the numbers.
  static func map<Result: Sendable>(
    _ count: Int, least: Int, _ body: @escaping @Sendable (Int) -> Result
  ) -> [Result] {
    let processors = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let number = max(1, min(processors, mostThreads, count / max(1, least)))
    let size = (count + number - 1) / number
    let parts = Parts<Result>()
    var waiting: [Descriptor] = []
    var own = [0..<min(size, count)]
    for begin in stride(from: size, to: count, by: size) {
      let range = begin..<min(begin + size, count)
      guard let (ours, theirs) = try? SocketCalls.pair(),
        startThread({
          let results = range.map(body)
          parts.results.withLock { $0[range.lowerBound] = results }
          SocketCalls.endWriting(theirs.number)
        })
      else {
        own.append(range)
        continue
      }
      waiting.append(ours)
    }
    for range in own {
      let results = range.map(body)
      parts.results.withLock { $0[range.lowerBound] = results }
    }
    for descriptor in waiting {
      // A thread of this very process comes to its end.
      while !SocketCalls.wait(
        descriptor.number, for: .read, until: .now.advanced(by: .seconds(3600)))
      {}
    }
    return parts.results.withLock { results in
      results.sorted { $0.key < $1.key }.flatMap(\.value)
    }
  }
}
