import QMPClient

/// Presses the power button and waits until the guest has shut down.
///
/// - Returns: Why it has; nil where QEMU ended without a word, as a crash does.
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
