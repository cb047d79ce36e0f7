package import QMPClient

/// A monitor that does what a transcript says, on a real socket at a path, for one client.
package struct QMPReplay: Sendable {
  /// How the lines that QEMU sent are cut into pieces on the way to the client.
  package enum Manner: String, Sendable, CaseIterable {
    case asRecorded = "as recorded"
    case byteByByte = "byte by byte"
    case coalesced = "coalesced"
    case delayed = "with delays"
  }

  /// Where the conversation left the transcript.
  package struct Mismatch: Error, Hashable, CustomStringConvertible {
    /// The transcript's name and the number of the line, such as `powerdown.qmp:8`.
    package let place: String
    package let reason: String
    package var description: String { "\(place): \(reason)" }
  }

  /// The socket of the monitor.
  package let path: String
  private let folder: TemporaryFolder
  private let outcome = Mailbox<Result<Void, any Error>>()

  /// Listens for a client.
  ///
  /// - Parameters:
  ///   - transcript: What QEMU said, and what the client must say.
  ///   - manner: How what QEMU said is cut into pieces.
  ///   - timeout: How long each step may take.
  /// - Throws: What kept it from listening.
  package init(
    _ transcript: Transcript, _ manner: Manner = .asRecorded, timeout: Duration = .seconds(20)
  ) throws {
    folder = try TemporaryFolder()
    path = folder.path + "/monitor.sock"
    let listener = try SocketCalls.listen(path)
    let outcome = outcome
    let started = startThread {
      outcome.send(
        Result {
          let deadline = SuspendingClock.now.advanced(by: timeout)
          guard SocketCalls.wait(listener.number, for: .read, until: deadline),
            let socket = SocketCalls.accept(on: listener)
          else { throw Mismatch(place: transcript.name, reason: "no client connected") }
          let peer = QMPPeer(socket, timeout: timeout)
          defer { peer.hangUp() }
          try Self.serve(transcript, manner, to: peer)
        })
    }
    guard started else { throw SystemError(call: "pthread_create", code: 11) }
  }

  /// Waits until the conversation has ended.
  ///
  /// - Throws: ``Mismatch`` where it left the transcript.
  package func finish() async throws { try await outcome.next()?.get() }

  // MARK: - Serving

  private static func serve(_ transcript: Transcript, _ manner: Manner, to peer: QMPPeer) throws {
    var waiting: [UInt8] = []
    for (line, step) in transcript.steps {
      let place = "\(transcript.name):\(line)"
      if case .qemu(let text) = step {
        let bytes = Array((text + "\r\n").utf8)
        if manner == .coalesced { waiting += bytes } else { try send(bytes, manner, to: peer) }
        continue
      }
      if !waiting.isEmpty { try peer.send(waiting) }
      waiting = []
      switch step {
      case .qemu: break
      case .client(let expected): try take(expected, at: place, from: peer)
      case .clientHungUp: return try expectEnd(at: place, from: peer)
      case .qemuHungUp: return
      }
    }
    if !waiting.isEmpty { try peer.send(waiting) }
    try expectEnd(at: "\(transcript.name):\(transcript.steps.last?.line ?? 1)", from: peer)
  }

  private static func send(_ bytes: [UInt8], _ manner: Manner, to peer: QMPPeer) throws {
    switch manner {
    case .asRecorded, .coalesced: try peer.send(bytes)
    case .byteByByte where bytes.count > 4096:
      // Single bytes at the ends are what finds mistakes; 207 KB of them would only take time.
      for byte in bytes.prefix(1024) { try peer.send([byte]) }
      try peer.send(Array(bytes.dropFirst(1024).dropLast(1024)))
      for byte in bytes.suffix(1024) { try peer.send([byte]) }
    case .byteByByte: for byte in bytes { try peer.send([byte]) }
    case .delayed:
      let middle = bytes.count / 2
      try peer.send(Array(bytes[..<middle]))
      peer.pause(.milliseconds(2))
      try peer.send(Array(bytes[middle...]))
      peer.pause(.milliseconds(2))
    }
  }

  private static func take(_ expected: String, at place: String, from peer: QMPPeer) throws {
    guard let line = try receive(at: place, expecting: "-> \(expected)", from: peer) else {
      throw Mismatch(place: place, reason: "missing: -> \(expected)")
    }
    guard (try? JSONValue(parsing: line)) == (try JSONValue(parsing: expected)) else {
      throw Mismatch(place: place, reason: "unexpected: -> \(line); expected: -> \(expected)")
    }
  }

  private static func expectEnd(at place: String, from peer: QMPPeer) throws {
    if let line = try receive(at: place, expecting: "-> EOF", from: peer) {
      throw Mismatch(place: place, reason: "unexpected: -> \(line); expected: -> EOF")
    }
  }

  private static func receive(
    at place: String, expecting expected: String, from peer: QMPPeer
  ) throws -> String? {
    do { return try peer.receiveLine() } catch QMPPeer.Failure.nothingCame(let timeout) {
      throw Mismatch(place: place, reason: "nothing came within \(timeout); expected: \(expected)")
    }
  }
}
