import Testing
import TestSupport

@testable import QMPClient

@Suite(.timeLimit(.minutes(1))) struct QMPClientEventTests {
  @Test func `the event comes before the reply of the command that caused it`() async throws {
    try await QMPScriptedServer.serve { peer throws in
      let command = try peer.receive("system_powerdown")
      try peer.report("POWERDOWN")
      try peer.answer(command)
    } _: { client async throws in
      let events = await client.events()
      try await client.execute(SystemPowerdown())
      var iterator = events.makeAsyncIterator()
      #expect(await iterator.next()?.name == "POWERDOWN")
    }
  }

  @Test func `every subscriber gets all events, in order, whatever the others do`() async throws {
    let count = 3000
    try await QMPScriptedServer.serve { peer throws in
      try peer.expect("cont")
      for number in 0..<count {
        try peer.send(#"{"event": "RTC_CHANGE", "data": {"offset": \#(number)}}"#)
      }
      try peer.expect("query-status", ["running": true, "status": "running"])
    } _: { client async throws in
      // One that never reads, one that leaves early, one that is cancelled, and three that listen.
      let idle = await client.events()
      let early = await client.events()
      let cancelled = await client.events()
      let listeners = [await client.events(), await client.events(), await client.events()]
      try await client.execute(Cont())

      let leaver = Task { await early.first { _ in true }?.name }
      let waiter = Task { await cancelled.first { $0.name == "NEVER" } }
      waiter.cancel()
      #expect(await waiter.value == nil)
      #expect(await leaver.value == "RTC_CHANGE")

      let complete = await withTaskGroup(of: Bool.self) { group in
        for events in listeners {
          group.addTask {
            var numbers: [Int] = []
            for await event in events {
              numbers.append(event.data["offset"]?.int ?? -1)
              if numbers.count == count { break }
            }
            return numbers == Array(0..<count)
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(complete == [true, true, true])
      // The replies were not held up by the one that never reads; nor has that one lost anything.
      #expect(try await client.execute(QueryStatus(), timeout: .seconds(20)).running)
      var iterator = idle.makeAsyncIterator()
      for number in 0..<count { #expect(await iterator.next()?.data["offset"]?.int == number) }
    }
  }

  @Test func `the events end when QEMU hangs up, after those that came before`() async throws {
    try await QMPScriptedServer.serve { peer throws in
      try peer.expect("query-status", ["running": true, "status": "running"])
      try peer.report("STOP")
      try peer.report("SHUTDOWN")
    } _: { client async throws in
      let events = await client.events()
      try await client.execute(QueryStatus())
      var names: [String] = []
      for await event in events { names.append(event.name) }
      #expect(names == ["STOP", "SHUTDOWN"])
      #expect(await client.ending == .disconnected(command: nil))
      for await event in await client.events() { Issue.record("\(event) after the end") }
    }
  }

  @Test func `a subscriber without a reference is dropped`() async throws {
    try await QMPScriptedServer.serve { peer throws in
      for _ in 0..<3 {
        let command = try peer.receive("stop")
        try peer.report("STOP")
        try peer.answer(command)
      }
    } _: { client async throws in
      weak var subscription: QMPEvents.Subscription?
      do {
        let events = await client.events()
        subscription = events.subscription
        try await client.execute(Stop())
        #expect(events.subscription.mailbox.poll()?.name == "STOP")
      }
      #expect(subscription == nil)
      try await client.execute(Stop())
      #expect(await client.subscriberCount == 0)
      try await client.execute(Stop())
    }
  }

  @Test(arguments: [3, QMPClient.mostEarlyEvents + 5])
  func `the first subscriber also gets the last of what came before it, the second doesn't`(
    count: Int
  ) async throws {
    try await QMPScriptedServer.serve { peer throws in
      for number in 0..<count {
        try peer.send(#"{"event": "RTC_CHANGE", "data": {"offset": \#(number)}}"#)
      }
      try peer.expect("query-status", ["running": true, "status": "running"])
      let command = try peer.receive("stop")
      try peer.report("STOP")
      try peer.answer(command)
    } _: { client async throws in
      try await client.execute(QueryStatus())
      let (first, second) = (await client.events(), await client.events())
      try await client.execute(Stop())
      var offsets: [Int?] = []
      for await event in first { offsets.append(event.data["offset"]?.int) }
      let kept = max(0, count - QMPClient.mostEarlyEvents)..<count
      #expect(offsets == Array(kept) + [nil])
      var names: [String] = []
      for await event in second { names.append(event.name) }
      #expect(names == ["STOP"])
    }
  }
}
