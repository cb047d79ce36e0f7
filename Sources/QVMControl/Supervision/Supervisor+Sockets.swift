internal import QMPClient

/// Sockets that were removed while the VM runs: by a cleaner of the shared folder that they lie in, or
/// by somebody's hand.
extension Supervisor {
  /// Makes those anew that are gone, for a command that has found nobody there.
  func renewSockets() async {
    guard hasListened, evidence.cause == nil, let held else { return }
    let runtime = runtime.isBeside ? RuntimeFolder.of(held) : runtime
    do {
      if !SocketCalls.isListening(runtime.control) {
        try runtime.prepareControl()
        await server.stopListening()
        try await server.listen(at: runtime.control)
        await tellOfSockets("\(runtime.control) was gone; listening there again")
      }
    } catch {
      let why =
        (error as? SystemError)?.explanation ?? (error as? any UserFacingError)?.message
        ?? "\(error)"
      return await tellOfSockets("\(runtime.control) is gone and can't be made anew: \(why)")
    }
    if !Files.exists(runtime.monitor), !hasToldOfMonitor {
      hasToldOfMonitor = true
      await tellOfSockets(
        "\(runtime.monitor) is gone, and QEMU makes that only when it starts: other tools can't use"
          + " it, and without a supervisor QEMU can only be ended by a signal")
    }
    renewConsole(runtime, log: held.console)
  }

  private func tellOfSockets(_ text: String) async {
    log(text)
    await server.broadcast(.notice(text))
  }

  private func renewConsole(_ runtime: RuntimeFolder, log: String) {
    guard let client, !Files.exists(runtime.console) else { return }
    consoleRenewal = Self.renewConsole(
      client, runtime, log: log, after: consoleRenewal, inputs, on: loop)
  }

  private static func renewConsole(
    _ client: QMPClient, _ runtime: RuntimeFolder, log: String, after previous: Task<Void, Never>?,
    _ inputs: Mailbox<Input>, on loop: EventLoop
  ) -> Task<Void, Never> {
    Task(executorPreference: loop) {
      await previous?.value
      if let text = await renewConsole(client, runtime, log: log) { inputs.send(.notice(text)) }
    }
  }

  /// Has QEMU listen for its console anew.
  ///
  /// - Returns: What to tell of it; nil where nothing was done.
  private static func renewConsole(
    _ client: QMPClient, _ runtime: RuntimeFolder, log: String
  ) async -> String? {
    if Files.exists(runtime.console) { return nil }
    let new = runtime.newConsole()
    do {
      let devices = try await client.execute(QueryChardev(), timeout: answerTimeout).devices
      // Whoever is attached would be cut off; whoever comes next asks again.
      guard let console = devices.first(where: { $0.label == "console" }),
        console.filename.hasPrefix("disconnected:")
      else { return nil }
      let backend: JSONValue = [
        "type": "socket",
        "data": [
          "addr": ["type": "unix", "data": ["path": .string(new)]], "server": true, "wait": false,
          "logfile": .string(log), "logappend": true,
        ],
      ]
      _ = try await client.execute(
        "chardev-change", ["id": "console", "backend": backend], timeout: answerTimeout)
      try Files.rename(new, to: runtime.console, isLasting: false)
      return "\(runtime.console) was gone; QEMU listens there again"
    } catch let error as QMPError where error.endsConnection {
      return nil
    } catch {
      // Not every serial port can be given another socket.
      let why = (error as? any UserFacingError)?.message ?? "\(error)"
      return "\(runtime.console) is gone and QEMU can't make it anew: \(why)"
    }
  }
}
