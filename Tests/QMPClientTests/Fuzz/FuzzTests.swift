import Foundation
import Testing
import TestSupport

@testable import QMPClient

/// Broken input of every kind: at worst an error, never a crash, a hang, growth, or an answer for
/// a request that has had one.
@Suite(.timeLimit(.minutes(2))) struct FuzzTests {
  /// `QMP_FUZZ_SEED`, to repeat a run; by chance otherwise.
  private static let seed =
    ProcessInfo.processInfo.environment["QMP_FUZZ_SEED"].flatMap(UInt64.init)
    ?? UInt64.random(in: 0...UInt64(UInt32.max))

  /// What QEMU sent in all transcripts, the longest lines cut to pieces.
  private static func corpus() throws -> [[UInt8]] {
    var lines: Set<[UInt8]> = []
    for recorded in QMPFixtures.all {
      for transcript in try recorded.transcripts() {
        for case (_, .qemu(let text)) in transcript.steps {
          let bytes = Array(text.utf8)
          lines.insert(Array(bytes.prefix(320)))
          lines.insert(Array(bytes.suffix(160)))
        }
      }
    }
    // Sets have an order of their own in each run; a seed must give the same inputs always.
    return lines.sorted { $0.lexicographicallyPrecedes($1) }
  }

  @Test func `a hundred thousand broken inputs break neither framer nor session`() throws {
    print("QMP_FUZZ_SEED=\(Self.seed)")
    var mutator = Mutator(corpus: try Self.corpus(), seed: Self.seed)
    let limit = 16_384
    var fuzzed = FuzzedConversation(limit: limit)
    var counts = FuzzedConversation.Counts()
    for input in 0..<100_000 {
      for piece in mutator.pieces(mutator.next()) {
        guard let failure = fuzzed.take(piece, &counts) else { continue }
        #expect(failure.isTolerable, "input \(input) of QMP_FUZZ_SEED=\(Self.seed): \(failure)")
        fuzzed = FuzzedConversation(limit: limit)
      }
    }
    // Each kind of outcome must come up, or the inputs are not what they are meant to be.
    #expect(counts.replies > 100, "\(counts)")
    #expect(counts.events > 100, "\(counts)")
    #expect(counts.failures > 1000, "\(counts)")
    #expect(counts.roundTrips > 500, "\(counts)")
  }

  @Test func `a client fed with broken input answers every caller, and hangs up or continues`()
    async throws
  {
    let mutator = Mutator(corpus: try Self.corpus(), seed: Self.seed ^ 1)
    var rounds: [[UInt8]] = []
    var source = mutator
    for _ in 0..<200 { rounds.append(source.next() + source.next()) }
    for (number, bytes) in rounds.enumerated() {
      let server = try QMPScriptedServer { peer throws in
        try peer.negotiate()
        _ = try peer.receive("query-status")
        try peer.send(bytes)
      }
      try await QMPClient.withConnection(over: server.transport) { client in
        let events = await client.events()
        // Whatever comes of it, it must come: this test ends by its time limit otherwise.
        _ = try? await client.execute(QueryStatus())
        for await _ in events {}
        let ending = await client.ending
        #expect(ending != nil, "round \(number) of QMP_FUZZ_SEED=\(Self.seed)")
      }
      try await server.finish()
    }
  }
}

/// A framer and a session with commands under way, and what they must always keep to.
private struct FuzzedConversation {
  struct Counts {
    var replies = 0
    var events = 0
    var failures = 0
    var roundTrips = 0
  }

  enum Failure: Error {
    /// The connection would end here.
    case ends(QMPError)
    /// A reply for a command that was answered, or never sent.
    case unasked(id: Int)
    /// A value that is another one after writing and reading.
    case changed(String)
    /// More bytes held than any line may have.
    case growth(Int)

    var isTolerable: Bool {
      switch self {
      case .ends(.notQMP(let line)): line.utf8.count <= 3 * 120
      case .ends(.lineTooLong): true
      default: false
      }
    }
  }

  private let limit: Int
  private var framer: LineFramer
  private var session = QMPSession()
  private var unanswered: Set<Int> = []
  private var lines = 0

  init(limit: Int) {
    self.limit = limit
    framer = LineFramer(limit: limit)
    framer.append(Array((QMPPeer.greeting + "\r\n").utf8))
    for _ in 0..<5 {
      let id = session.newID()
      unanswered.insert(id)
      _ = session.send("query-status", [:], id: id)
    }
    session.abandon(5)
    unanswered.remove(5)
  }

  mutating func take(_ bytes: [UInt8], _ counts: inout Counts) -> Failure? {
    framer.append(bytes)
    do throws(QMPError) {
      while true {
        var isRoundTrip: Bool?
        let action = try framer.next { line in
          lines += 1
          // One in four: this takes longer than all the rest.
          isRoundTrip = lines % 4 == 0 ? Self.isSame(line) : nil
          return Result { () throws(QMPError) in try session.receive(line) }
        }
        guard let action else { break }
        if isRoundTrip == false { return .changed("\(action)") }
        if isRoundTrip == true { counts.roundTrips += 1 }
        switch try action.get() {
        case .greeting, .ignored: break
        case .event: counts.events += 1
        case .reply(let id, _):
          guard unanswered.remove(id) != nil else { return .unasked(id: id) }
          counts.replies += 1
          // A conversation goes on.
          let next = session.newID()
          unanswered.insert(next)
          _ = session.send("query-status", [:], id: next)
        }
      }
    } catch {
      counts.failures += 1
      return .ends(error)
    }
    return framer.pendingCount > limit ? .growth(framer.pendingCount) : nil
  }

  /// Whether a value stays the same when it is written and read; nil for what is no JSON.
  private static func isSame(_ line: UnsafeBufferPointer<UInt8>) -> Bool? {
    guard let value = try? JSONValue(parsing: line) else { return nil }
    return (try? JSONValue(parsing: value.bytes)) == value
  }
}
