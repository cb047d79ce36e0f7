import QMPClient

/// Presses the power button and waits until the guest has shut down.
///
/// - Returns: The cause; nil if QEMU exited without reporting one, as in a crash.
func shutDown(monitor path: String) async throws -> ShutdownCause? {
  try await QMPClient.withConnection(path: path) { client in
    let events = await client.events()
    try await client.execute(SystemPowerdown(), timeout: .seconds(5))
    for await event in events {
      if let shutdown = event.shutdown { return shutdown.reason }
    }
    return nil
  }
}
