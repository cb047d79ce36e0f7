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

  /// What threads share: the next number that nobody has taken, and the results by where they begin.
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

    /// Takes part after part until all are taken: a thread that begins late leaves more to the others.
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

  /// Does something for each number from 0, part by part, on as many threads as there are processors;
  /// on this one alone where no other is to be had.
  ///
  /// - Parameters:
  ///   - count: How many numbers there are.
  ///   - partSize: How many are done at once; what has no more than two parts is worth no thread.
  ///   - body: What is done for those of a part, in their order.
  /// - Returns: What came of it, in the order of the numbers.
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
      // A thread of this very process comes to its end.
      while !SocketCalls.wait(
        descriptor.number, for: .read, until: .now.advanced(by: .seconds(3600)))
      {}
    }
    return work.inOrder
  }
}
