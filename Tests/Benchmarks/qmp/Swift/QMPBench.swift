internal import QMPClient

/// A contender of the benchmark: `qmp-bench SOCKET SCHEMA`.
///
/// Reads what to do from standard input, a line each, as `limit.c` says, and also `decode N`, which
/// reads N times the JSON in the file SCHEMA. The loop is the main thread's and the caller is on
/// it, as in qvm.
@main
struct QMPBench {
  struct UnknownTask: Error {}

  static func main() throws {
    guard CommandLine.arguments.count == 3, let schema = contents(of: CommandLine.arguments[2])
    else { throw UnknownTask() }
    let monitor = CommandLine.arguments[1]
    let loop = try EventLoop()
    try loop.run {
      try await QMPClient.withConnection(path: monitor, on: loop) { client in
        let contender = Contender(client: client)
        while let line = readLine() {
          let words = line.split(separator: " ")
          guard words.count == 2, let count = Int(words[1]) else { throw UnknownTask() }
          let start = (wall: ContinuousClock.now, processor: processorTime())
          switch words[0] {
          case "trips": try await contender.trips(count)
          case "flight": try await contender.flight(count)
          case "events": try await contender.events(count)
          case "schema": try await contender.schema(count)
          case "decode": try contender.decode(count, schema)
          default: throw UnknownTask()
          }
          let processor = processorTime() - start.processor
          let (seconds, attoseconds) = start.wall.duration(to: .now).components
          answer("\(seconds * 1_000_000_000 + attoseconds / 1_000_000_000) \(processor)")
        }
      }
    }
  }
}
