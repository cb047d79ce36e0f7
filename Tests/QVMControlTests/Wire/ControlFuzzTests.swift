import QMPClient
import TestSupport
import Testing

@testable import QVMControl

/// A control socket that is fed anything at all.
@Suite(.timeLimit(.minutes(1))) struct ControlFuzzTests {
  private static let pieces = [
    "{", "}", "[", "]", ":", ",", "\"", "\\", "\n", "\r\n", "null", "true", "-", "1e999",
    "18446744073709551616",
    "\\ud800", "\u{0}", "\"request\"", "\"stop\"", "\"rung\"", "\"quit\"", "\"timeout\"",
    "\"event\"",
    "{\"request\":\"stop\"}", "{\"request\":[]}", "{\"request\":\"dance\"}\n",
    "{\"request\":\"stop\",\"rung\":\"nothing\"}\n", String(repeating: "[", count: 2000),
  ]

  @Test
  func `ten thousand inputs neither crash a server, nor fill its memory, nor ask for anything`()
    throws
  {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/control.sock"
    let loop = try EventLoop()
    var random = SystemRandomNumberGenerator()
    let seed = random.next()
    try loop.runLimited {
      var random = Dice(state: seed)
      let heard = Mailbox<ControlRequest>()
      let server = ControlServer(
        of: "b", on: loop, receive: { request, _ in heard.send(request) }, lost: { _ in })
      try await server.listen(at: path)
      let before = try #require(Self.memory())
      var inputs = 0
      while inputs < 10_000 {
        let peer = ControlPeer(try SocketCalls.connect(path))
        for _ in 0..<50 {
          peer.send(Self.input(&random))
          inputs += 1
        }
        // Let the server read, and answer into a socket that is not emptied.
        await Task.yield()
        try await loop.sleep(until: .now)
      }
      // A line without an end.
      let endless = ControlPeer(try SocketCalls.connect(path))
      let spaces = [UInt8](repeating: 0x20, count: 1 << 15)
      var isClosed = false
      while !isClosed {
        // As much as fits, so that the server, on this very thread, reads in between.
        let sent = spaces.withUnsafeBytes { SocketCalls.send(endless.socket.number, $0) }
        if case .closed = sent { isClosed = true }
        try await loop.sleep(until: .now)
        try Task.checkCancellation()
      }
      let peer = ControlPeer(try SocketCalls.connect(path))
      peer.send("{\"request\":\"console\"}\n")
      #expect(await heard.next() == .console, "seed \(seed): something was taken for a request")
      let growth = try #require(Self.memory()) - before
      #expect(growth < 60_000, "seed \(seed): \(growth) kB")
      await server.stopListening()
    }
  }

  private static func input(_ random: inout Dice) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 1...8, using: &random) {
      if Bool.random(using: &random) {
        bytes += pieces.randomElement(using: &random).map { Array($0.utf8) } ?? []
      } else {
        bytes += (0..<Int.random(in: 0...40, using: &random)).map { _ in
          UInt8.random(in: 0...255, using: &random)
        }
      }
    }
    return bytes + (Bool.random(using: &random) ? [0x0A] : [])
  }

  /// What this process takes of the memory, in kB; the other tests take some, too.
  private static func memory() -> Int? {
    let line = Files.text("/proc/self/status")?.split(separator: "\n").first {
      $0.hasPrefix("VmRSS:")
    }
    return line.flatMap { Int($0.filter(\.isNumber)) }
  }
}

/// Random numbers that follow from a seed (SplitMix64).
private struct Dice: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
