internal import QMPClient

/// Makes a supervisor create its sockets again, if they were removed while its VM runs: by a cleaner of
/// the shared folder that they are in, or by a user.
///
/// The request is a signal, which needs no file. A supervisor that doesn't know the signal ignores it.
enum SocketRenewal {
  /// How long a supervisor may take to create its sockets; it takes milliseconds.
  static let timeout = Duration.seconds(1)
  private static let interval = Duration.milliseconds(10)

  /// Connects to the supervisor of a boot. If its socket is gone, asks the supervisor for a new one.
  ///
  /// - Parameters:
  ///   - boot: The boot.
  ///   - files: The files of its instance.
  ///   - deadline: How long that may take.
  /// - Returns: The connection; nil if the supervisor can't be reached.
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

  /// Has a supervisor create the console's socket again if that is gone, and waits for it.
  static func ensureConsole(_ boot: BootRecord, _ files: InstanceFiles) {
    let console = boot.runtime(files).console
    if Files.exists(console) { return }
    guard ask(boot, files) else { return }
    let deadline = SuspendingClock.now.advanced(by: timeout)
    while !Files.exists(console), canWait(files, until: deadline) {}
  }

  /// Asks for new sockets; false if the supervisor is unknown or has exited.
  @discardableResult
  static func ask(_ boot: BootRecord, _ files: InstanceFiles) -> Bool {
    signal(.renewSockets, boot, files)
  }

  /// Sends a signal to the supervisor of a boot; false if it is unknown or has exited.
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
    // No event reports a new socket, since its folder may be gone too.
    _ = SocketCalls.wait(-1, for: [], until: .now.advanced(by: interval))
    return true
  }
}
