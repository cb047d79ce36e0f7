internal import QMPClient

/// Has a supervisor make its sockets anew, which somebody removed while its VM runs: a cleaner of the
/// shared folder that they lie in, or a user.
///
/// It is told by a signal, the one way that needs no file; one that doesn't know it ignores it.
enum SocketRenewal {
  /// How long it may take; it takes milliseconds.
  static let timeout = Duration.seconds(1)
  private static let interval = Duration.milliseconds(10)

  /// Connects to the supervisor of a boot; where its socket is gone it is asked to make it anew.
  ///
  /// - Parameters:
  ///   - boot: The boot.
  ///   - files: Its instance's.
  ///   - deadline: How long that may take.
  /// - Returns: The connection; nil where there is none to be had.
  static func connect(
    to boot: BootRecord, _ files: InstanceFiles,
    until deadline: SuspendingClock.Instant = .now.advanced(by: timeout)
  ) -> BlockingControlClient? {
    let runtime = boot.runtime(files)
    var isAsked = false
    while true {
      do throws(BlockingControlClient.Failure) {
        return try BlockingControlClient(runtime, boot: boot.token)
      } catch {
        guard error == .absent, isAsked || ask(boot, files), canWait(files, until: deadline) else {
          return nil
        }
        isAsked = true
      }
    }
  }

  /// Makes sure that the console of a VM that is supervised has its socket, as far as that can be had.
  static func ensureConsole(_ boot: BootRecord, _ files: InstanceFiles) {
    let console = boot.runtime(files).console
    if Files.exists(console) { return }
    guard ask(boot, files) else { return }
    let deadline = SuspendingClock.now.advanced(by: timeout)
    while !Files.exists(console), canWait(files, until: deadline) {}
  }

  /// Asks for them; false where the supervisor isn't known, or isn't there.
  @discardableResult
  static func ask(_ boot: BootRecord, _ files: InstanceFiles) -> Bool {
    signal(.renewSockets, boot, files)
  }

  /// Sends a signal to the supervisor of a boot; false where it isn't known, or isn't there.
  static func signal(_ signal: Signal, _ boot: BootRecord, _ files: InstanceFiles) -> Bool {
    guard FileLock.isHeld(files.supervisorLock), boot.hostBootID == Host.bootID,
      let pid = boot.knownSupervisorPid, Host.startTime(of: pid) == boot.supervisorStart
    else { return false }
    return Host.signal(signal, to: pid)
  }

  private static func canWait(
    _ files: InstanceFiles, until deadline: SuspendingClock.Instant
  ) -> Bool {
    guard .now < deadline, FileLock.isHeld(files.supervisorLock) else { return false }
    // Nothing tells when a socket appears whose folder may be gone, too.
    _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: interval))
    return true
  }
}
