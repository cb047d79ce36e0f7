package import QMPClient

/// The sign that a guest is ready in one boot.
package enum ReadySign: Sendable, Hashable {
  /// An ssh server greets at this address.
  case greeting(address: String, port: Int)
  /// The console shows a text after an offset of its log.
  case text(String, log: String, offset: Int)

  /// The sign of a boot; nil if there is none, as without a network.
  package init?(
    of target: Target, _ boot: BootRecord, _ files: InstanceFiles, consoleOffset: Int
  ) {
    switch target.operatingSystem.readiness {
    case .console(let text): self = .text(text, log: files.console, offset: consoleOffset)
    case .ssh:
      guard let port = boot.sshPort else { return nil }
      self = .greeting(address: boot.sshAddress ?? "", port: port)
    }
  }

  /// Returns when the sign appears.
  ///
  /// - Throws: `CancellationError`; ``FileError`` if the console's log can't be watched.
  package func appears(on loop: EventLoop) async throws {
    switch self {
    case .greeting(let address, let port):
      try await SSHProbe.untilReady(address: address, port: port, on: loop)
    case .text(let text, let log, let offset):
      let watch = try FileWatch(log)
      var match = ConsoleMatch(text)
      var position = offset
      while true {
        let part = try LogFile(log).read(from: position)
        position = part.end
        match.read(part.bytes)
        if match.isFound { return }
        let far = SuspendingClock.now.advanced(by: .seconds(3600))
        if try await loop.ready(watch.descriptor.number, for: .read, until: far) { watch.clear() }
      }
    }
  }

  /// Describes the missing sign.
  package var absence: String {
    switch self {
    case .greeting(_, let port): "no ssh server has responded on port \(port) yet"
    case .text(let text, _, _): "its console has not shown '\(text)' yet"
    }
  }
}
