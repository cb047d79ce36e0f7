internal import QMPClient

/// Replaces sockets that were removed while the VM runs: by a cleaner of the shared folder that they
/// lie in, or by hand. This is the supervisor's half of ``SocketRenewal``, by which clients ask for it.
struct SocketRenewer: Sendable {
  /// Replaces QEMU's console.
  private var consoleRenewal: Task<Void, Never>?
  /// Whether it was reported that QEMU's monitor can't be replaced.
  private var hasReportedMonitor = false

  /// Listens at `control.sock` again, if that is gone.
  ///
  /// - Parameters:
  ///   - runtime: Where it was.
  ///   - clients: The clients that it is for.
  /// - Returns: What to report, if anything, and whether it is there now.
  func renewControl(_ runtime: RuntimeFolder, _ clients: Clients) -> (
    report: String?, isThere: Bool
  ) {
    if SocketCalls.isListening(runtime.control) { return (nil, true) }
    do {
      try runtime.prepareControl()
      clients.stopListening()
      try clients.listen(at: runtime.control)
      return ("\(runtime.control) was gone; listening there again", true)
    } catch {
      return ("\(runtime.control) is gone and can't be made anew: \(error.why)", false)
    }
  }

  /// What to report of the monitor's socket; nil if it is there, or was reported.
  mutating func checkMonitor(_ runtime: RuntimeFolder) -> String? {
    guard !Files.exists(runtime.monitor), !hasReportedMonitor else { return nil }
    hasReportedMonitor = true
    return
      "\(runtime.monitor) is gone, and QEMU makes that only when it starts: other tools can't use"
      + " it, and without a supervisor QEMU can only be ended by a signal"
  }

  /// Has QEMU listen for its console anew, if that is gone; what comes of it is an input.
  mutating func renewConsole(
    _ runtime: RuntimeFolder, log: String, by client: QMPClient,
    _ inputs: Mailbox<Supervisor.Input>, on loop: EventLoop
  ) {
    guard !Files.exists(runtime.console) else { return }
    consoleRenewal = Task(executorPreference: loop) { [consoleRenewal] in
      await consoleRenewal?.value
      if let text = await Self.changeConsole(client, runtime, log: log) {
        inputs.send(.notice(text))
      }
    }
  }

  /// Waits until nothing is being replaced.
  func finish() async { await consoleRenewal?.value }

  /// - Returns: What to report; nil if nothing was done.
  private static func changeConsole(
    _ client: QMPClient, _ runtime: RuntimeFolder, log: String
  ) async -> String? {
    if Files.exists(runtime.console) { return nil }
    let new = runtime.newConsole()
    let timeout = MonitorLink.answerTimeout
    do {
      let devices = try await client.execute(QueryChardev(), timeout: timeout).devices
      // A client that is attached would be cut off; the next one asks again.
      guard let console = devices.first(where: { $0.label == "console" }), console.isFree else {
        return nil
      }
      let backend: JSONValue = [
        "type": "socket",
        "data": [
          "addr": ["type": "unix", "data": ["path": .string(new)]], "server": true, "wait": false,
          "logfile": .string(log), "logappend": true,
        ],
      ]
      _ = try await client.execute(
        "chardev-change", ["id": "console", "backend": backend], timeout: timeout)
      try Files.rename(new, to: runtime.console, isLasting: false)
      return "\(runtime.console) was gone; QEMU listens there again"
    } catch let error as QMPError where error.endsConnection {
      return nil
    } catch {
      // Not every serial port can be given another socket.
      let why = error.messageForUser
      return "\(runtime.console) is gone and QEMU can't make it anew: \(why)"
    }
  }
}

extension CharacterDevice {
  /// Whether no client is connected.
  var isFree: Bool { filename.hasPrefix("disconnected:") }
}

extension Error {
  /// What to quote of it.
  var why: String {
    (self as? SystemError)?.explanation ?? messageForUser
  }
}
