import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Every set of a VM's processes, killed at every moment of its life: the commands that follow tell
/// the truth, lose nothing and leave nothing behind.
@Suite(.timeLimit(.minutes(15)), .serialized) struct KillMatrixTests {
  @Test(arguments: Moment.allCases, [true, false])
  func `after any process was killed, every command finds the truth and no data is lost`(
    moment: Moment, removes: Bool
  ) async throws {
    try await check(moment, removes: removes, isFresh: false)
  }

  @Test(arguments: [true, false])
  func `a disk that was made for a start that is killed goes only where that was asked for`(
    removes: Bool
  ) async throws {
    try await check(.spawned, removes: removes, isFresh: true)
  }

  private func check(_ moment: Moment, removes: Bool, isFresh: Bool) async throws {
    try await Sandbox.with(beforeOthers: true) { sandbox in
      try await DoomedVM.useToolchain(in: &sandbox)
      // A QEMU that waits for its release has no port yet: no other may take it meanwhile.
      let place = (Moment.allCases.firstIndex(of: moment) ?? 0) * 4 + (removes ? 2 : 0)
      sandbox.environment["QVM_SSH_ADDRESS"] = "127.0.7.\(place + (isFresh ? 1 : 0) + 1)"
      var guest = ["demo", "1"]
      if moment == .stopping {
        try await sandbox.plant(.deaf, as: "haiku-r1beta5-x86-64")
        guest = ["--memory", "64M", "haiku", "r1beta5"]
      }
      if !isFresh { try await sandbox.makeSeed("seed", guest) }
      for victims in Victims.all {
        let name = victims.description
        if !isFresh { try sandbox.copy("seed", as: name) }
        let vm = try await DoomedVM(name, guest, removes: removes, until: moment, in: sandbox)
        let status = try await vm.kill(victims, at: moment)
        // One that loses its supervisor may be quicker to end than to be killed.
        let isKilled = status == 137 || status == 1 && victims.contains(.supervisor)
        #expect(victims.contains(.client) ? isKilled : status == 1, "\(name): \(status)")
        let truth = Truth.after(moment, victims, removes: removes, isFresh: isFresh)
        try await Aftermath(vm, moment, isFresh: isFresh).check(truth, removes: removes)
      }
      #expect(try await sandbox.qvm(["rm", "--force"] + names(in: sandbox)).status == 0)
      #expect(try await sandbox.qvm("list", "--json").json["instances"] == .array([]))
    }
  }

  private func names(in sandbox: Sandbox) async throws -> [String] {
    try await sandbox.qvm("list", "--json").json["instances"]?.array?
      .compactMap { $0["name"]?.string } ?? []
  }
}

/// What the commands say of a VM after some of its processes were killed.
private struct Aftermath {
  private let vm: DoomedVM
  private let moment: Moment
  private let isFresh: Bool
  private var name: String { vm.name }
  private var sandbox: Sandbox { vm.sandbox }

  init(_ vm: DoomedVM, _ moment: Moment, isFresh: Bool) {
    self.vm = vm
    self.moment = moment
    self.isFresh = isFresh
  }

  func check(_ truth: Truth, removes: Bool) async throws {
    switch truth {
    case .gone: try await gone()
    case .ended(let phase, let result):
      try await ended(phase: phase, result: result)
    case .orphaned, .stopping:
      try await alive(phase: truth == .stopping ? "stopping" : "orphaned")
      let words = moment == .stopping ? ["stop", "--force", name] : ["stop", name]
      let stop = try await sandbox.qvm(words)
      let after = Truth.afterStop(moment, removes: removes)
      // Before its first instruction the guest can't be asked: that is not what was wanted.
      let isAsked = moment == .running || moment == .stopping
      #expect(stop.status == (isAsked ? 0 : 1), "\(name): \(stop.err)")
      try await check(after, removes: removes)
    }
  }

  private func gone() async throws {
    // What has to be done last is done by the command that looks first.
    try await eventually("\(name) is gone") { try await sandbox.qvm("status", name).status == 4 }
    for words in [["stop"], ["logs"], ["wait", "--timeout", "5"], ["rm"], ["start", "-d"]] {
      let answer = try await sandbox.qvm(words + [name])
      #expect(answer.status == 4, "\(name): \(words): \(answer.err)")
    }
    let again = try await sandbox.qvm(["run", "-d", "--name", name] + vm.guest)
    #expect(again.status == 0, "\(name): \(again.err)")
  }

  private func ended(phase: String, result: String) async throws {
    try await eventually("\(name) has ended") {
      ["stopped", "crashed"].contains(try await sandbox.status(name)["phase"]?.string)
    }
    let status = try await sandbox.qvm("status", "--json", name)
    #expect(status.status == 3)
    #expect(status.json["phase"]?.string == phase, "\(name): \(status.out)")
    #expect(status.json["lastOutcome"]?["result"]?.string == result, "\(name): \(status.out)")
    let list = try await sandbox.qvm("list", "--json").json["instances"]?.array
    #expect(list?.first { $0["name"]?.string == name }?["phase"]?.string == phase)
    let wait = try await sandbox.qvm("wait", name, "--for", "stopped", "--timeout", "5")
    #expect(wait.status == 0)
    #expect(try await sandbox.qvm("wait", name, "--timeout", "5").status == 5)
    #expect(try await sandbox.qvm("stop", name).status == 0)
    #expect(try await sandbox.qvm("logs", name).status == 0)
    if let damage = try await sandbox.damage(of: name, hasPattern: !isFresh) {
      Issue.record("\(damage)")
    }
    let start = try await sandbox.qvm("start", "-d", name)
    #expect(start.status == 0, "\(name): \(start.err)")
    #expect(try await sandbox.status(name)["phase"]?.string == "running", "\(name)")
    #expect(try await sandbox.qvm("rm", "--force", name).status == 0)
    #expect(!sandbox.exists(name))
  }

  private func alive(phase: String) async throws {
    try await eventually("\(name) is \(phase), and answers") {
      let status = try await sandbox.status(name)
      return status["phase"]?.string == phase && status["runState"] != nil
    }
    #expect(try await sandbox.qvm("status", name).status == 0)
    let list = try await sandbox.qvm("list", "--json").json["instances"]?.array
    #expect(list?.first { $0["name"]?.string == name }?["phase"]?.string == phase)
    for (doing, words) in [
      ("remove", ["rm", name]), ("start", ["start", "-d", name]),
      ("run", ["run", "-d", "--name", name] + vm.guest),
    ] {
      let refusal = try await sandbox.qvm(words)
      #expect(refusal.status == 1)
      let running = try await sandbox.running(name, doing)
      #expect(refusal.reports(running), "\(refusal.err)")
    }
    #expect(try await sandbox.qvm("logs", name).status == 0)
    // Once is enough: it takes its second.
    if vm.name == Victims.supervisor.description {
      let wait = try await sandbox.qvm("wait", name, "--for", "stopped", "--timeout", "1")
      #expect(wait.status == 124)
    }
  }
}
