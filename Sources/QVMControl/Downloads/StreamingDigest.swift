internal import QMPClient
internal import Synchronization

/// The SHA-256 of a file that is still being written: a program gets its bytes as they come, so
/// that the digest is there when the last of them is.
///
/// What an earlier run left in the file goes in first. The bytes are read from the system's cache
/// of the file that has just taken them, not from the disk.
final class StreamingDigest: Sendable {
  private let path: String
  private let loop: EventLoop
  private let state = Mutex((generation: 0, isComplete: false))

  /// A digest in lower-case hexadecimal digits, and of how many bytes it is.
  typealias Result = (sha256: String, size: Int)

  /// How often to look for more; the digest is late by that at most.
  private static let interval = Duration.milliseconds(20)
  /// The most bytes to read at once; the loop does nothing else meanwhile.
  private static let chunk = 1 << 18

  init(of path: String, on loop: EventLoop) {
    self.path = path
    self.loop = loop
  }

  /// The file begins anew: what was read of it is worth nothing.
  func restart() { state.withLock { $0.generation += 1 } }

  /// The file has all of its bytes.
  func complete() { state.withLock { $0.isComplete = true } }

  /// Reads along until ``complete()``.
  ///
  /// - Returns: The digest; nil where no program can tell it.
  /// - Throws: ``FileError``; `CancellationError`.
  func follow() async throws -> Result? {
    while true {
      guard let hasher = FileDigest.Hasher.start() else { return nil }
      let generation = state.withLock(\.generation)
      do {
        if let size = try await feed(hasher, generation) {
          return await hasher.finish(on: loop).map { ($0, size) }
        }
      } catch {
        hasher.abandon()
        throw error
      }
      hasher.abandon()
    }
  }

  /// Hands all bytes over; nil where the file begins anew.
  private func feed(_ hasher: FileDigest.Hasher, _ generation: Int) async throws -> Int? {
    var size = 0
    var file: Descriptor?
    var buffer = [UInt8](repeating: 0, count: Self.chunk)
    while true {
      // Asked before reading: what is complete by then is read to its end.
      let (current, isComplete) = state.withLock { $0 }
      if current != generation { return nil }
      // There is none before the first byte.
      if file == nil, Files.exists(path) { file = try Files.openForReading(path) }
      let count = try file.map { try Files.read($0, into: &buffer, of: path) } ?? 0
      if count > 0 {
        guard try await hasher.take(buffer[..<count], on: loop) else { return size }
        size += count
        try Task.checkCancellation()
      } else if isComplete {
        return size
      } else {
        try await loop.sleep(until: .now.advanced(by: Self.interval))
      }
    }
  }
}
