internal import QMPClient

/// Adopts a QEMU whose supervisor was killed.
enum Adoption {
  private static let greetingTimeout = Duration.seconds(5)

  /// Connects to the monitor that every QEMU of qvm has for this. If another client holds
  /// it, or QEMU is stuck, the VM is adopted without: signals are left.
  ///
  /// - Throws: ``StartError`` if there is no QEMU to adopt.
  static func adopt(
    _ boot: BootRecord, files: InstanceFiles, runtime: RuntimeFolder, on loop: EventLoop,
    notify: @Sendable (String) -> Void
  ) async throws -> QEMULauncher.Started {
    // A supervisor that was killed right after the start had no time to write the pid down.
    var written = boot.pid
    if written == nil { written = try await writtenPid(files, on: loop) }
    guard written != nil else {
      throw StartError.other(
        message: "the supervisor was killed before it had started QEMU", advice: nil)
    }
    let pid = boot.hasOwnPids ? written : nil
    let process = VMProcess.adopted(
      pid: pid, start: boot.start ?? pid.flatMap(Host.startTime), hostBootID: boot.hostBootID,
      lockPath: files.vmLock)
    do throws(QMPError) {
      let client = try await QMPClient.connect(
        over: SocketTransport(try await connection(to: runtime, on: loop)), on: loop,
        timeout: greetingTimeout)
      return QEMULauncher.Started(
        process: process, client: client, events: await client.events(), boot: boot)
    } catch {
      notify(
        pid == nil
          ? "QEMU can't be ended from here: its monitor is not to be had (\(error)), and no signal"
            + " reaches a process of another container"
          : boot.blocksSignals
            ? "QEMU can only be killed, which is a power cut to its guest: \(error)"
            : "QEMU can only be ended by signals: \(error)")
      return QEMULauncher.Started(process: process, client: nil, events: nil, boot: boot)
    }
  }

  /// Connects to the monitor, and retries while its queue is full: commands that only look stand in it,
  /// and leave when they have their answer. A busy QEMU lets them wait.
  private static func connection(
    to runtime: RuntimeFolder, on loop: EventLoop
  ) async throws(QMPError) -> Descriptor {
    let deadline = SuspendingClock.now.advanced(by: greetingTimeout)
    while true {
      do throws(QMPError) { return try runtime.connectToMonitor() } catch {
        guard case .cannotConnect(_, let cause) = error, cause.isQueueFull, .now < deadline,
          (try? await loop.sleep(until: .now.advanced(by: .milliseconds(20)))) != nil
        else { throw error }
      }
    }
  }

  /// The pid that QEMU itself writes when it has started; nil where it doesn't, or ends before.
  private static func writtenPid(
    _ files: InstanceFiles, on loop: EventLoop
  ) async throws -> Int32? {
    let deadline = SuspendingClock.now.advanced(by: greetingTimeout)
    while true {
      if let pid = files.writtenPid { return pid }
      guard FileLock.isHeld(files.vmLock), .now < deadline else { return nil }
      try await loop.sleep(until: .now.advanced(by: .milliseconds(20)))
    }
  }
}
