internal import QMPClient

/// What the benchmark can ask of QMPClient.
///
/// Each function does its work so many times and checks what it gets, so that a client that is fast
/// because it is wrong doesn't win.
struct Contender {
  let client: QMPClient

  struct WrongAnswer: Error {}

  /// Commands that are under way at a time, as in `limit.c` and `rival.py`.
  static let width = 32

  func trips(_ count: Int) async throws {
    for _ in 0..<count {
      guard try await client.execute(QueryStatus()).running else { throw WrongAnswer() }
    }
  }

  func flight(_ count: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for place in 0..<Self.width {
        let share = count / Self.width + (place < count % Self.width ? 1 : 0)
        group.addTask { try await trips(share) }
      }
      try await group.waitForAll()
    }
  }

  func events(_ count: Int) async throws {
    let events = await client.events()
    async let reply = client.execute("flood")
    var expected = 1_000_000
    for await event in events {
      guard event.data["offset"]?.int == expected else { throw WrongAnswer() }
      expected += 1
      if expected == 1_000_000 + count { break }
    }
    _ = try await reply
  }

  func schema(_ count: Int) async throws {
    for _ in 0..<count {
      guard let entries = try await client.execute("query-qmp-schema").array, entries.count > 100
      else { throw WrongAnswer() }
    }
  }

  func decode(_ count: Int, _ document: [UInt8]) throws {
    for _ in 0..<count {
      guard case .object = try JSONValue(parsing: document) else { throw WrongAnswer() }
    }
  }
}
