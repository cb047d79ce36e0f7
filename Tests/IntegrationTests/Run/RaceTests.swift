import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Many commands at one instance, all at the same instant: one wins, the others are told who.
///
/// `QVM_TEST_RACE_ROUNDS` is the number of rounds, one by default, for a long campaign by hand.
@Suite(.timeLimit(.minutes(30)), .serialized) struct RaceTests {
  private static let rounds =
    ProcessInfo.processInfo.environment["QVM_TEST_RACE_ROUNDS"].flatMap { Int($0) } ?? 1
  private static let racers = 20

  /// How one command of a race has ended.
  struct Finish: Sendable {
    let word: String
    let output: Sandbox.Output
    var hasWon: Bool { output.status == 0 }
  }

  /// Starts commands that wait at a barrier, lets all of them go at once, and waits for their ends.
  private func race(_ commands: [[String]], in sandbox: Sandbox) async throws -> [Finish] {
    let barrier = sandbox.folder.appending(path: "barrier").path
    let descriptor = open(barrier, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else {
      throw Sandbox.Failure("no barrier: \(errno)")
    }
    let script = #"exec 9<"$1"; shift; echo ready; flock -s 9; exec 9<&-; exec "$@""#
    let program = try Sandbox.program.path
    let runners = try commands.map { words in
      try sandbox.start(
        URL(filePath: "/bin/sh"), ["-c", script, "sh", barrier, program] + words)
    }
    try await eventually("all are at the barrier") {
      runners.allSatisfy { $0.output.out.contains("ready") }
    }
    flock(descriptor, LOCK_UN)
    var finishes: [Finish] = []
    for (runner, words) in zip(runners, commands) {
      finishes.append(Finish(word: words[0], output: try await runner.end()))
    }
    return finishes
  }

  /// What a loser may be told, each up to what differs from race to race.
  private static let refusals: [String] = ["run", "start", "create", "remove"].flatMap { doing in
    let running = InstanceError.running(
      name: "it", doing: doing, pid: nil, since: .now, hasSSH: false
    ).message
    return [
      String(running.prefix { $0 != "(" }),
      InstanceError.busy(name: "it", doing: doing).message,
      InstanceError.busy(name: "it", doing: doing, holder: "").message,
      InstanceError.removed(name: "it", doing: doing).message,
      InstanceError.noSuch(name: "it").message,
    ]
  }

  /// Each of the losers was told who won, and none with a success.
  private func expectTold(
    _ finishes: [Finish], _ round: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for finish in finishes where !finish.hasWon {
      let text = finish.output.err
      let isTold = Self.refusals.contains { text.contains($0) }
      #expect(
        isTold && [1, 4].contains(finish.output.status),
        "round \(round): \(finish.word): \(finish.output.status): \(text)",
        sourceLocation: sourceLocation)
    }
  }

  /// What there is in the folder of the instances, hidden folders too.
  private func folders(in sandbox: Sandbox) throws -> [String] {
    try FileManager.default.contentsOfDirectory(
      atPath: sandbox.cache.appending(path: "instances").path
    ).sorted()
  }

  private func qemus(in sandbox: Sandbox) -> Int {
    sandbox.processes.filter { $0.command.contains("qemu-system") }.count
  }

  private let run = ["run", "-d", "--name", "it", "demo", "1"]

  @Test func `of several runs of one name one wins`() async throws {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      // The image and the firmware are there: the race is for the name alone.
      try await sandbox.makeSeed()
      for round in 1...Self.rounds {
        let finishes = try await race(
          Array(repeating: run, count: Self.racers), in: sandbox)
        #expect(finishes.filter(\.hasWon).count == 1, "round \(round)")
        expectTold(finishes, round)
        #expect(try folders(in: sandbox) == ["it", "seed"], "round \(round)")
        #expect(qemus(in: sandbox) == 1, "round \(round)")
        #expect(try await sandbox.status("it")["phase"]?.string == "running")
        #expect(try await sandbox.qvm("rm", "--force", "it").status == 0)
      }
    }
  }

  @Test func `of several starts of one instance one wins, and its data stays`() async throws {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await sandbox.makeSeed("it")
      for round in 1...Self.rounds {
        let finishes = try await race(
          Array(repeating: ["start", "-d", "it"], count: Self.racers), in: sandbox)
        #expect(finishes.filter(\.hasWon).count == 1, "round \(round)")
        expectTold(finishes, round)
        #expect(qemus(in: sandbox) == 1, "round \(round)")
        #expect(try await sandbox.qvm("stop", "--force", "it").status == 0)
        if let damage = try await sandbox.damage(of: "it") { Issue.record("\(damage)") }
      }
    }
  }

  @Test func `of several removals of one instance one wins`() async throws {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await sandbox.makeSeed()
      for round in 1...Self.rounds {
        try sandbox.copy("seed", as: "it")
        let finishes = try await race(
          Array(repeating: ["rm", "it"], count: Self.racers), in: sandbox)
        #expect(finishes.filter(\.hasWon).count == 1, "round \(round)")
        expectTold(finishes, round)
        #expect(try folders(in: sandbox) == ["seed"], "round \(round)")
      }
    }
  }

  @Test func `what is run while it is removed is whole or gone`() async throws {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await sandbox.makeSeed()
      for round in 1...Self.rounds {
        try sandbox.copy("seed", as: "it")
        let finishes = try await race(
          (0..<Self.racers).map { $0 % 2 == 0 ? run : ["rm", "it"] }, in: sandbox)
        expectTold(finishes, round)
        let ran = finishes.filter { $0.hasWon && $0.word == "run" }.count
        let removed = finishes.filter { $0.hasWon && $0.word == "rm" }.count
        #expect(ran <= 1 && removed <= 1 && ran + removed >= 1, "\(round): \(ran), \(removed)")
        #expect(try folders(in: sandbox) == (ran == 1 ? ["it", "seed"] : ["seed"]), "\(round)")
        #expect(qemus(in: sandbox) == ran, "round \(round)")
        if ran == 1 {
          #expect(try await sandbox.status("it")["phase"]?.string == "running")
          #expect(try await sandbox.qvm("stop", "--force", "it").status == 0)
          // One that was not removed before is the old one, with its data.
          if let damage = try await sandbox.damage(of: "it", hasPattern: removed == 0) {
            Issue.record("\(damage)")
          }
          #expect(try await sandbox.qvm("rm", "it").status == 0)
        }
      }
    }
  }

  @Test func `every stop of one VM, and every wait for its end, sees it end`() async throws {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await sandbox.makeSeed("it")
      for round in 1...Self.rounds {
        #expect(try await sandbox.qvm("start", "-d", "it").status == 0)
        let isOrphan = round % 2 == 0
        if isOrphan, let supervisor = sandbox.pids(of: "it").supervisor {
          kill(supervisor, SIGKILL)
        }
        let wait = ["wait", "it", "--for", "stopped", "--timeout", "30"]
        let finishes = try await race(
          (0..<Self.racers).map { $0 % 4 == 0 ? wait : ["stop", "it", "--force"] }, in: sandbox)
        for finish in finishes {
          #expect(finish.hasWon, "round \(round): \(finish.word): \(finish.output.err)")
        }
        let status = try await sandbox.status("it")
        #expect(status["lastOutcome"]?["result"]?.string == "forced", "round \(round)")
        #expect(qemus(in: sandbox) == 0)
        if let damage = try await sandbox.damage(of: "it") { Issue.record("\(damage)") }
      }
    }
  }

  @Test func `between the end of an orphan and its removal no command gets it`() async throws {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await sandbox.makeSeed()
      for round in 1...Self.rounds * 2 {
        #expect(try await sandbox.qvm(["run", "--rm"] + run.dropFirst()).status == 0)
        kill(try #require(sandbox.pids(of: "it").supervisor), SIGKILL)
        // They have the lock in their sights, some in the kernel's queue for it.
        let persistent =
          "until '\(try Sandbox.program.path)' start -d it 2>/dev/null; do "
          + "[ $? = 4 ] && exit 4; done"
        let starters = try (0..<4).map { _ in
          try sandbox.start(URL(filePath: "/bin/sh"), ["-c", persistent])
        }
        let waiters = try (0..<4).map { _ in
          try sandbox.start("wait", "it", "--for", "stopped", "--timeout", "30")
        }
        let stop = try await sandbox.qvm("stop", "--force", "it")
        #expect(stop.status == 0 && !sandbox.exists("it"), "\(round): \(stop.err)")
        for starter in starters { #expect(try await starter.end().status == 4, "round \(round)") }
        // One that came late finds no such instance.
        for waiter in waiters {
          #expect(try await [0, 4].contains(waiter.end().status), "round \(round)")
        }
        #expect(try folders(in: sandbox) == ["seed"], "round \(round)")
      }
    }
  }

  @Test func `stops and starts at once end in one VM or none`() async throws {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await sandbox.makeSeed("it")
      for round in 1...Self.rounds {
        #expect(try await sandbox.qvm("start", "-d", "it").status == 0)
        let finishes = try await race(
          (0..<Self.racers).map {
            $0 % 2 == 0 ? ["stop", "--force", "it"] : ["start", "-d", "it"]
          },
          in: sandbox)
        for finish in finishes where finish.word == "stop" {
          #expect(finish.hasWon, "round \(round): \(finish.output.err)")
        }
        // A start may also be the one that is stopped.
        expectTold(
          finishes.filter {
            $0.word == "start" && !$0.output.reports(StartError.abandoned)
              && !$0.output.reports(.forced, of: "it")
          }, round)
        let isRunning = try await sandbox.status("it")["phase"]?.string == "running"
        #expect(qemus(in: sandbox) == (isRunning ? 1 : 0), "round \(round)")
        #expect(try await sandbox.qvm("stop", "--force", "it").status == 0)
        if let damage = try await sandbox.damage(of: "it") { Issue.record("\(damage)") }
      }
    }
  }
}
