internal import QMPClient
internal import Synchronization

/// The SHA-256 of a file that is still being written. A program gets the bytes as they arrive, so
/// that the digest is known soon after the last byte.
///
/// The bytes of an earlier run go in first. The new bytes are read from the system's file cache,
/// not from the disk.
final class StreamingDigest: Sendable {
  private let path: String
  private let loop: EventLoop
  private let state = Mutex((generation: 0, isComplete: false))

  /// A digest in lower-case hexadecimal digits, and the number of bytes.
  typealias Digest = (sha256: String, size: Int)

  /// How often to check for more bytes. It delays the digest by that at most.
  private static let interval = Duration.milliseconds(20)
  /// How many bytes to read at once at most. The loop does nothing else meanwhile.
  private static let chunk = 1 << 18

  init(of path: String, on loop: EventLoop) {
    self.path = path
    self.loop = loop
  }

  /// Starts over, because the file does.
  func restart() { state.withLock { $0.generation += 1 } }

  /// Says that the file has all of its bytes.
  func complete() { state.withLock { $0.isComplete = true } }

  /// Reads the growing file until ``complete()``.
  ///
  /// - Returns: The digest; nil if no program can compute it.
  /// - Throws: ``FileError``; `CancellationError`.
  func follow() async throws -> Digest? {
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

  /// Passes all bytes to the program. Returns their number; nil if the file starts over.
  private func feed(_ hasher: FileDigest.Hasher, _ generation: Int) async throws -> Int? {
    var size = 0
    var file: Descriptor?
    var buffer = [UInt8](repeating: 0, count: Self.chunk)
    while true {
      // Checked before reading: a file that is complete by then is read to its end.
      let (current, isComplete) = state.withLock { $0 }
      if current != generation { return nil }
      // The file doesn't exist before the first byte.
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
