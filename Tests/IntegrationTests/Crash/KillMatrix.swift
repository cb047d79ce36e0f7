import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Which of a VM's processes are killed, all at once.
struct Victims: OptionSet, Sendable, CustomStringConvertible {
  let rawValue: Int
  static let client = Victims(rawValue: 1)
  static let supervisor = Victims(rawValue: 2)
  static let qemu = Victims(rawValue: 4)

  /// Every set but the empty one.
  static let all = (1...7).map { Victims(rawValue: $0) }

  var description: String {
    [(Victims.client, "client"), (.supervisor, "supervisor"), (.qemu, "qemu")]
      .filter { contains($0.0) }.map(\.1).joined(separator: "-")
  }
}

/// Where in the life of a VM they are killed.
enum Moment: String, Sendable, CaseIterable {
  /// QEMU was started, and hasn't come to its pid file yet.
  case spawned
  /// QEMU has answered, and waits for the guest's first instruction.
  case greeted
  /// The guest is up.
  case running
  /// The guest was asked to power off, and is deaf.
  case stopping
}

/// What must be found then.
enum Truth: Hashable {
  case gone
  case ended(phase: String, result: String)
  case orphaned
  case stopping

  static let failedToStart = Truth.ended(phase: "crashed", result: "failed-to-start")
  static let crashed = Truth.ended(phase: "crashed", result: "crashed")
  static let clean = Truth.ended(phase: "stopped", result: "clean")
  static let forced = Truth.ended(phase: "stopped", result: "forced")

  /// - Parameters:
  ///   - moment: When they were killed.
  ///   - victims: Who was killed.
  ///   - removes: Whether `--rm` was given.
  ///   - isFresh: Whether the disk was made for this boot.
  /// - Returns: What is true a moment later, before any process has done anything about it.
  static func after(_ moment: Moment, _ victims: Victims, removes: Bool, isFresh: Bool) -> Truth {
    let isOrphan = victims.contains(.supervisor) && !victims.contains(.qemu)
    switch moment {
    case .spawned:
      // With the client killed, too, it is stopped before it becomes a QEMU.
      if isOrphan, !victims.contains(.client) { return .orphaned }
      // A supervisor that lives removes what was made for nothing, one that doesn't leaves it to
      // the next command, which needs to have been told.
      let isRemoved = isFresh && (removes || !victims.contains(.supervisor))
      return isRemoved ? .gone : .failedToStart
    case .greeted, .running, .stopping:
      if isOrphan { return .orphaned }
      if victims.contains(.qemu) { return .crashed }
      if moment == .stopping { return .stopping }
      return removes ? .gone : moment == .running ? .clean : .forced
    }
  }

  /// What `qvm stop` makes of an orphan, or of a VM that is being stopped.
  static func afterStop(_ moment: Moment, removes: Bool) -> Truth {
    removes ? .gone : moment == .running ? .clean : .forced
  }
}

/// A VM that is brought to a moment, for its processes to be killed there.
struct DoomedVM {
  let name: String
  let sandbox: Sandbox
  let guest: [String]
  private let client: RunningCommand

  /// Makes the QEMUs wait for the process that has made a FIFO of their instance's name.
  static func useToolchain(in sandbox: inout Sandbox) async throws {
    try FileManager.default.createDirectory(
      at: sandbox.folder.appending(path: "hold"), withIntermediateDirectories: true)
    try await sandbox.useQEMU(
      script: """
        for word; do
          [ "$last" = -name ] && name=$word
          last=$word
        done
        hold='\(sandbox.folder.path)/hold/'$name
        [ -p "$hold" ] && read -r line <"$hold"
        exec "$REAL" "$@"
        """)
  }

  /// Runs a VM in the foreground up to a moment.
  init(
    _ name: String, _ guest: [String], removes: Bool, until moment: Moment, in sandbox: Sandbox
  ) async throws {
    self.name = name
    self.guest = guest
    self.sandbox = sandbox
    if [.spawned, .greeted].contains(moment), mkfifo(Self.hold(name, sandbox), 0o600) != 0 {
      throw Sandbox.Failure("mkfifo: \(errno)")
    }
    client = try sandbox.start(
      try Sandbox.program,
      ["run", "--name", name] + (removes ? ["--rm"] : []) + guest)
    // Of this boot: an older one has a pid, too.
    try await eventually("\(name): QEMU was started") {
      sandbox.processes.contains { $0.pid == sandbox.pids(of: name).qemu }
    }
    switch moment {
    case .spawned, .greeted:
      if moment == .spawned { return }
      client.signal(SIGSTOP)
      try await release()
      try await eventually("\(name): QEMU has answered") {
        try await sandbox.status(name)["runState"]?.string == "prelaunch"
      }
    case .running, .stopping:
      _ = try await sandbox.qvm("wait", name, "--for", "console:ready", "--timeout", "30")
      if moment == .running { return }
      client.signal(SIGINT)
      try await eventually("\(name): it is being stopped") {
        try await sandbox.status(name)["phase"]?.string == "stopping"
      }
    }
  }

  private static func hold(_ name: String, _ sandbox: Sandbox) -> String {
    sandbox.folder.appending(path: "hold/\(name)").path
  }

  /// Lets a QEMU go on that waits.
  func release() async throws {
    let path = Self.hold(name, sandbox)
    try await eventually("\(name): QEMU waits") {
      let writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
      if writer >= 0 { close(writer) }
      return writer >= 0
    }
    unlink(path)
  }

  /// Ends an orphan that isn't a QEMU yet.
  private func endUnborn(byStop: Bool) async throws {
    try await eventually("\(name): it is an orphan") {
      try await sandbox.status(name)["phase"]?.string == "orphaned"
    }
    #expect(
      try await sandbox.qvm("rm", name).reports(
        sandbox.running(name, "remove")))
    guard byStop else { return try await release() }
    let stop = try await sandbox.qvm("stop", name)
    #expect(stop.status == 0, "\(name): \(stop.err)")
  }

  /// Kills and returns when the killed are dead; the exit status of the client is its own, or 137.
  func kill(_ victims: Victims, at moment: Moment) async throws -> Int32 {
    let (supervisor, qemu) = sandbox.pids(of: name)
    var dying: [Int32] = []
    // In this order: otherwise the supervisor might still see how QEMU ended.
    if victims.contains(.supervisor) { dying.append(try #require(supervisor)) }
    if victims.contains(.qemu) { dying.append(try #require(qemu)) }
    for pid in dying { Foundation.kill(pid, SIGKILL) }
    client.signal(victims.contains(.client) ? SIGKILL : SIGCONT)
    if moment == .spawned, victims.contains(.supervisor), !victims.contains(.qemu) {
      try await endUnborn(byStop: victims.contains(.client))
    }
    unlink(Self.hold(name, sandbox))
    return try await client.end(within: .seconds(20)).status
  }
}
