internal import QMPClient

/// Takes over a QEMU whose supervisor was killed.
enum Adoption {
  private static let greetingTimeout = Duration.seconds(5)

  /// Connects to the monitor that every QEMU of qvm has for this.
  ///
  /// - Throws: ``StartError/monitor(_:log:)`` where somebody else holds the monitor.
  static func adopt(
    _ boot: BootRecord, files: InstanceFiles, runtime: RuntimeFolder, on loop: EventLoop
  ) async throws -> Startup.Started {
    guard let pid = boot.pid else {
      throw StartError.other(
        message: "the supervisor was killed before it had started QEMU", advice: nil)
    }
    do throws(QMPError) {
      let client = try await QMPClient.connect(
        over: try SocketTransport(path: runtime.monitor), on: loop, timeout: greetingTimeout)
      try? Files.remove(runtime.control)
      return Startup.Started(
        process: .adopted(
          pid: pid, start: boot.start, hostBootID: boot.hostBootID, lockPath: files.vmLock),
        client: client, events: await client.events(), boot: boot)
    } catch {
      throw StartError.monitor(error, log: [])
    }
  }
}
