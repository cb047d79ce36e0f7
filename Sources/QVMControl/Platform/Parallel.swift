#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient
internal import Synchronization

/// Spreads work over the processors, for commands without tasks.
enum Parallel {
  /// More threads gain nothing if all of them wait for the same folder.
  private static let mostThreads = 4

  /// What the threads share: the next number to take, and the results by the first number of their
  /// part.
  private final class Work<Result: Sendable>: Sendable {
    private let count: Int
    private let partSize: Int
    private let body: @Sendable (Range<Int>) -> [Result]
    private let next = Mutex(0)
    private let results = Mutex<[Int: [Result]]>([:])

    init(_ count: Int, partSize: Int, _ body: @escaping @Sendable (Range<Int>) -> [Result]) {
      self.count = count
      self.partSize = partSize
      self.body = body
    }

    /// Takes one part after the other until all are taken. If a thread starts late, the others do
    /// more.
    func run() {
      while true {
        let begin = next.withLock { next in
          defer { next += partSize }
          return next
        }
        guard begin < count else { return }
        let part = body(begin..<min(begin + partSize, count))
        results.withLock { $0[begin] = part }
      }
    }

    var inOrder: [Result] {
      results.withLock { results in results.sorted { $0.key < $1.key }.flatMap(\.value) }
    }
  }

  /// Calls a body for the numbers from 0, part by part, on one thread per processor. If no thread
  /// can be started, this thread does it all.
  ///
  /// - Parameters:
  ///   - count: How many numbers there are.
  ///   - partSize: How many numbers a part has. Two parts or fewer are not worth a thread.
  ///   - body: Returns the results for a part, in order.
  /// - Returns: The results, in the order of the numbers.
  static func map<Result: Sendable>(
    _ count: Int, partSize: Int, _ body: @escaping @Sendable (Range<Int>) -> [Result]
  ) -> [Result] {
    let work = Work(count, partSize: partSize, body)
    var waiting: [Descriptor] = []
    let processors = count > 2 * partSize ? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) : 1
    for _ in 0..<max(0, min(processors, mostThreads) - 1) {
      guard let (ours, theirs) = try? SocketCalls.pair(),
        startThread({
          work.run()
          SocketCalls.endWriting(theirs.number)
        })
      else { break }
      waiting.append(ours)
    }
    work.run()
    for descriptor in waiting {
      // A thread of this process always ends, so this loop does too.
      while !SocketCalls.wait(
        descriptor.number, for: .read, until: .now.advanced(by: .seconds(3600)))
      {}
    }
    return work.inOrder
  }
}
