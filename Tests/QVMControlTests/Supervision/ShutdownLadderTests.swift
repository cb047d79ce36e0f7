import Testing

@testable import QVMControl

@Suite struct ShutdownLadderTests {
  private let start = SuspendingClock.now
  private let timeout = Duration.seconds(120)

  private func at(_ seconds: Double) -> SuspendingClock.Instant {
    start.advanced(by: .seconds(seconds))
  }

  /// What the ladder does by itself when it is woken whenever it asks for it: actions and seconds.
  private func whatFollows(_ ladder: inout ShutdownLadder, until limit: Double = 1000) -> [String] {
    var done: [String] = []
    while let due = ladder.nextTick, due <= at(limit) {
      let seconds = start.duration(to: due).components.seconds
      done += ladder.tick(due).map { "\($0)@\(seconds)" }
    }
    return done
  }

  @Test func `nothing is done without a request`() {
    var ladder = ShutdownLadder()
    #expect(ladder.nextTick == nil)
    #expect(ladder.tick(at(1000)) == [])
    #expect(ladder.rung == nil)
    #expect(ladder.startedAt == nil)
  }

  @Test func `the button is pressed again after 3, 5, 10 and 10 seconds, as long as there is time`()
  {
    var ladder = ShutdownLadder()
    #expect(ladder.request(.powerButton, timeout: .seconds(40), at: at(0)) == [.press])
    #expect(
      whatFollows(&ladder, until: 39) == ["press@3", "press@8", "press@18", "press@28", "press@38"])
    #expect(ladder.presses == 6)
    #expect(ladder.rung == .powerButton)
  }

  @Test func `a guest that never reacts is quit, terminated and killed, and then there is an end`()
  {
    var ladder = ShutdownLadder()
    _ = ladder.request(.powerButton, timeout: .seconds(2), at: at(0))
    #expect(whatFollows(&ladder) == ["quit@2", "terminate@12", "kill@22"])
    #expect(ladder.rung == .kill)
    #expect(ladder.nextTick == nil)
    #expect(ladder.startedAt == at(0))
  }

  @Test func `a QEMU that no SIGTERM ends is quit, and then killed`() {
    var ladder = ShutdownLadder()
    ladder.heedsSIGTERM = false
    _ = ladder.request(.powerButton, timeout: .seconds(2), at: at(0))
    #expect(whatFollows(&ladder) == ["quit@2", "kill@12"])
    // Nor one that takes too long to write its disks.
    var flushing = ShutdownLadder()
    flushing.heedsSIGTERM = false
    _ = flushing.request(.powerButton, timeout: .seconds(2), at: at(0))
    flushing.shutdownSeen(at: at(1))
    #expect(whatFollows(&flushing) == ["kill@61"])
    // Without a monitor nothing but SIGKILL is left, after a moment: it may be ending already.
    var deaf = ShutdownLadder()
    (deaf.heedsSIGTERM, deaf.hasMonitor) = (false, false)
    #expect(deaf.request(.quit, timeout: timeout, at: at(0)) == [])
    #expect(deaf.monitorLost(at: at(1)) == [])
    #expect(deaf.rung == .quit)
    #expect(whatFollows(&deaf) == ["kill@5"])
    var asked = ShutdownLadder()
    (asked.heedsSIGTERM, asked.hasMonitor) = (false, false)
    #expect(asked.request(.kill, timeout: timeout, at: at(0)) == [.kill])
  }

  @Test(arguments: [ShutdownRung.powerButton, .quit])
  func `a QEMU that hangs up and heeds no SIGTERM has a moment to end by itself`(
    rung: ShutdownRung
  ) {
    var ladder = ShutdownLadder()
    ladder.heedsSIGTERM = false
    _ = ladder.request(rung, timeout: timeout, at: at(0))
    #expect(ladder.monitorLost(at: at(1)) == [])
    #expect(whatFollows(&ladder) == ["kill@6"])
  }

  @Test func `the times between presses are the operating system's`() {
    var ladder = ShutdownLadder()
    ladder.pressIntervals = OperatingSystem.omnios.pressIntervals
    _ = ladder.request(.powerButton, timeout: .seconds(45), at: at(0))
    #expect(whatFollows(&ladder, until: 44) == ["press@10", "press@20", "press@30", "press@40"])
  }

  @Test func `a guest that restarts instead is pressed again as from the beginning`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.powerButton, timeout: .seconds(60), at: at(0))
    #expect(whatFollows(&ladder, until: 19) == ["press@3", "press@8", "press@18"])
    #expect(ladder.guestReset(at: at(20)) == true)
    #expect(
      whatFollows(&ladder, until: 59)
        == ["press@23", "press@26", "press@31", "press@41", "press@51"])
    #expect(ladder.presses == 9)
  }

  @Test func `a guest that restarts again and again does not escape`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.powerButton, timeout: .seconds(6), at: at(0))
    for second in 1..<6 {
      _ = whatFollows(&ladder, until: Double(second))
      ladder.guestReset(at: at(Double(second)))
    }
    #expect(ladder.presses == 2)
    #expect(whatFollows(&ladder, until: 6) == ["quit@6"])
  }

  @Test func `a reset changes nothing before the first rung, or past the guest's`() {
    var ladder = ShutdownLadder()
    #expect(ladder.guestReset(at: at(0)) == false)
    _ = ladder.request(.quit, timeout: .zero, at: at(1))
    #expect(ladder.guestReset(at: at(2)) == false)
    #expect(ladder.presses == 0)
  }

  @Test func `nothing is early`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.powerButton, timeout: .seconds(5), at: at(0))
    #expect(ladder.tick(at(2.999)) == [])
    #expect(ladder.tick(at(3)) == [.press])
    #expect(ladder.tick(at(4.999)) == [])
    #expect(ladder.tick(at(5)) == [.quit])
    #expect(ladder.tick(at(14.999)) == [])
    #expect(ladder.tick(at(15)) == [.terminate])
  }

  @Test func `a late wake-up does one step, not all that were missed`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.powerButton, timeout: timeout, at: at(0))
    #expect(ladder.tick(at(100)) == [.press])
    #expect(ladder.nextTick == at(105))
    #expect(ladder.tick(at(500)) == [.quit])
    #expect(ladder.nextTick == at(510))
  }

  @Test func `a second request quits and a third kills, at once`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.powerButton, timeout: timeout, at: at(0))
    #expect(ladder.request(.quit, timeout: timeout, at: at(1)) == [.quit])
    #expect(ladder.request(.kill, timeout: timeout, at: at(1.5)) == [.kill])
    #expect(ladder.nextTick == nil)
    #expect(ladder.startedAt == at(0))
    #expect(ladder.presses == 1)
  }

  @Test(arguments: [
    (ShutdownRung.powerButton, [ShutdownLadder.Action.press]),
    (.guestCommand, [.runGuestCommand]), (.quit, [.quit]),
    (.terminate, [.terminate]), (.kill, [.kill]),
  ])
  func `a shutdown may begin at any rung`(
    rung: ShutdownRung, actions: [ShutdownLadder.Action]
  ) {
    var ladder = ShutdownLadder()
    #expect(ladder.request(rung, timeout: timeout, at: at(0)) == actions)
    #expect(ladder.rung == rung)
  }

  @Test func `no request goes back down`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.terminate, timeout: timeout, at: at(0))
    for rung in [ShutdownRung.powerButton, .quit, .terminate] {
      #expect(ladder.request(rung, timeout: .seconds(1), at: at(1)) == [])
    }
    #expect(ladder.rung == .terminate)
    #expect(ladder.nextTick == at(10))
  }

  @Test func `a second request can shorten the timeout, not extend it, and presses no second time`()
  {
    var ladder = ShutdownLadder()
    _ = ladder.request(.powerButton, timeout: .seconds(30), at: at(0))
    #expect(ladder.request(.powerButton, timeout: .seconds(100), at: at(1)) == [])
    #expect(ladder.request(.powerButton, timeout: .seconds(1), at: at(1)) == [])
    #expect(ladder.presses == 1)
    #expect(ladder.tick(at(2)) == [.quit])
  }

  @Test func `a guest that doesn't execute isn't asked`() {
    var ladder = ShutdownLadder()
    #expect(
      ladder.request(.powerButton, timeout: timeout, canReact: false, at: at(0)) == [.quit])
    #expect(ladder.rung == .quit)
    #expect(ladder.presses == 0)
  }

  @Test func `the presses end when the guest has reacted`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.powerButton, timeout: timeout, at: at(0))
    ladder.shutdownSeen(at: at(2))
    #expect(ladder.tick(at(3)) == [])
    #expect(ladder.nextTick == at(62))
  }

  @Test func `a QEMU that announced its end and stays gets a minute, then signals`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.powerButton, timeout: timeout, at: at(0))
    ladder.shutdownSeen(at: at(2))
    #expect(whatFollows(&ladder) == ["terminate@62", "kill@72"])
  }

  @Test func `a QEMU that stays after its guest's own shutdown gets signals, too`() {
    var ladder = ShutdownLadder()
    ladder.shutdownSeen(at: at(0))
    #expect(ladder.startedAt == nil)
    #expect(whatFollows(&ladder) == ["terminate@60", "kill@70"])
  }

  @Test func `a guest that is off while QEMU stays is not waited for`() {
    var ladder = ShutdownLadder()
    ladder.shutdownSeen(at: at(0))
    #expect(ladder.guestIsOff(at: at(0)) == [])
    #expect(ladder.nextTick == nil)
    #expect(
      ladder.request(.powerButton, timeout: timeout, canReact: false, at: at(5)) == [.quit])
  }

  @Test func `a guest that gets off while QEMU stays is the end of what was asked of it`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.powerButton, timeout: timeout, at: at(0))
    ladder.shutdownSeen(at: at(2))
    #expect(ladder.guestIsOff(at: at(2)) == [.quit])
    #expect(whatFollows(&ladder) == ["terminate@12", "kill@22"])
  }

  @Test func `a guest that began anew after its shutdown is left alone, or asked again`() {
    var ladder = ShutdownLadder()
    ladder.shutdownSeen(at: at(0))
    ladder.guestBeganAnew(at: at(1))
    #expect(ladder.nextTick == nil)
    #expect(ladder.request(.powerButton, timeout: .seconds(10), at: at(2)) == [.press])
    ladder.shutdownSeen(at: at(3))
    ladder.guestBeganAnew(at: at(4))
    #expect(ladder.nextTick == at(7))
  }

  @Test func `a QEMU that writes its disks is not hurried by a request but by a kill`() {
    var ladder = ShutdownLadder()
    ladder.shutdownSeen(at: at(0))
    #expect(ladder.request(.powerButton, timeout: .seconds(1), at: at(1)) == [])
    #expect(ladder.request(.quit, timeout: .seconds(1), at: at(2)) == [])
    #expect(ladder.nextTick == at(60))
    #expect(ladder.request(.kill, timeout: .seconds(1), at: at(3)) == [.kill])
  }

  @Test func `after quit a QEMU that answers gets its minute as well`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.quit, timeout: timeout, at: at(0))
    ladder.shutdownSeen(at: at(1))
    #expect(whatFollows(&ladder) == ["terminate@61", "kill@71"])
  }

  @Test func `an announced end does not put off the kill after SIGTERM`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.terminate, timeout: timeout, at: at(0))
    ladder.shutdownSeen(at: at(1))
    #expect(whatFollows(&ladder) == ["kill@10"])
  }

  @Test func `a guest that is stopped while it is asked is quit`() {
    var ladder = ShutdownLadder()
    #expect(ladder.guestStopped(at: at(0)) == [])
    _ = ladder.request(.powerButton, timeout: timeout, at: at(1))
    #expect(ladder.guestStopped(at: at(2)) == [.quit])
    #expect(ladder.guestStopped(at: at(3)) == [])
  }

  @Test func `a guest that stops because it shuts down is left alone`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.powerButton, timeout: timeout, at: at(0))
    ladder.shutdownSeen(at: at(1))
    #expect(ladder.guestStopped(at: at(1)) == [])
    #expect(ladder.rung == .powerButton)
  }

  @Test(arguments: [ShutdownRung.powerButton, .quit])
  func `without a monitor only signals are left`(rung: ShutdownRung) {
    var ladder = ShutdownLadder()
    #expect(ladder.monitorLost(at: at(0)) == [])
    _ = ladder.request(rung, timeout: timeout, at: at(0))
    #expect(ladder.monitorLost(at: at(1)) == [.terminate])
    #expect(ladder.monitorLost(at: at(2)) == [])
    #expect(whatFollows(&ladder) == ["kill@11"])
  }

  @Test func `where only the guest's own command is left it is repeated, then come signals`() {
    var ladder = ShutdownLadder()
    ladder.hasMonitor = false
    #expect(
      ladder.request(.guestCommand, timeout: .seconds(30), at: at(0)) == [.runGuestCommand])
    #expect(
      whatFollows(&ladder) == [
        "runGuestCommand@10", "runGuestCommand@20", "terminate@30", "kill@40",
      ])
  }

  @Test func `a monitor that is lost after the announced end means nothing`() {
    var ladder = ShutdownLadder()
    _ = ladder.request(.powerButton, timeout: timeout, at: at(0))
    ladder.shutdownSeen(at: at(1))
    #expect(ladder.monitorLost(at: at(1)) == [])
    #expect(ladder.rung == .powerButton)
  }

  @Test func `a guest that may ignore the button also gets its own command, again and again`() {
    var ladder = ShutdownLadder()
    ladder.guestCommandDelay = .seconds(7)
    #expect(ladder.request(.powerButton, timeout: .seconds(30), at: at(0)) == [.press])
    #expect(
      whatFollows(&ladder, until: 29) == [
        "press@3", "runGuestCommand@7", "press@8", "runGuestCommand@17", "press@18",
        "runGuestCommand@27", "press@28",
      ])
    #expect(ladder.rung == .guestCommand)
    #expect(whatFollows(&ladder) == ["quit@30", "terminate@40", "kill@50"])
  }

  @Test func `a guest that is known to ignore the button gets its command at once`() {
    var ladder = ShutdownLadder()
    ladder.guestCommandDelay = .zero
    #expect(
      ladder.request(.powerButton, timeout: timeout, at: at(0)) == [.press, .runGuestCommand])
    #expect(ladder.rung == .guestCommand)
    #expect(ladder.request(.powerButton, timeout: .seconds(2), at: at(1)) == [])
    ladder.shutdownSeen(at: at(2))
    #expect(whatFollows(&ladder) == ["terminate@62", "kill@72"])
  }

  @Test func `a guest that is stopped, or can't react, is not told by its own command`() {
    var ladder = ShutdownLadder()
    ladder.guestCommandDelay = .seconds(1)
    #expect(
      ladder.request(.powerButton, timeout: timeout, canReact: false, at: at(0)) == [.quit])
    #expect(whatFollows(&ladder) == ["terminate@10", "kill@20"])
  }

  @Test func `the rungs have the names that files and messages use`() {
    let rungs: [ShutdownRung] = [.powerButton, .guestCommand, .quit, .terminate, .kill]
    #expect(rungs.map(\.name) == ["powerdown", "ssh", "quit", "sigterm", "sigkill"])
    #expect(rungs.sorted() == rungs)
  }
}
