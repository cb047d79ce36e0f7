import QMPClient
import TestSupport
import Testing

@testable import QVMControl

/// The start of a QEMU that doesn't answer; with its deadline of half a minute made short.
@Suite(.timeLimit(.minutes(1))) struct QEMULauncherTests {
  @Test func `a QEMU that never greets is given up in time, and ended`() throws {
    let folder = try TemporaryFolder()
    let files = InstanceFiles(folder: folder.path)
    let loop = try EventLoop()
    try loop.runLimited {
      // It ignores its arguments, and writes down who it is.
      let script = "echo $$ >'\(folder.path)/pid'; exec sleep 600"
      let plan = LaunchPlan(
        kind: .boot, cache: folder.path, name: "vm", command: ["/bin/sh", "-c", script],
        runtimeFolder: "\(folder.path)/run", isPortFixed: false, removeOnShutdown: false,
        shutdownTimeout: 1, waitsForConsole: false, isFirst: true)
      let lock = try #require(try FileLock.attempt(files.vmLock))
      var launcher = QEMULauncher(
        plan: plan, name: try InstanceName("vm"), files: files,
        runtime: plan.runtime(files), vmLock: lock, loop: loop,
        notify: { _ in },
        begun: {})
      launcher.greetingTimeout = .milliseconds(500)
      let boot = BootRecord(
        token: "t", hostBootID: Host.bootID, startedAt: .now, removeOnShutdown: false,
        shutdownTimeout: 1, supervisorPid: 1, supervisorStart: 1, command: [], consoleOffset: 0,
        runtimeFolder: plan.runtimeFolder, isFirst: true)
      let begin = SuspendingClock.now
      let error = await #expect(throws: StartError.self) { try await launcher.start(boot) }
      #expect(begin.duration(to: .now) < .seconds(5))
      #expect(error == .monitor(.noGreeting(seconds: 0.5), log: []))
      let pid = try #require(
        Files.text("\(folder.path)/pid").flatMap { Int32($0.prefix { $0.isNumber }) })
      #expect(Host.startTime(of: pid) == nil, "it lives on")
    }
  }
}
