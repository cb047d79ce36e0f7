internal import QMPClient

/// The lock on the folder of base images.
///
/// It is shared by all who count on what is in there to stay: a `run` from looking at its base
/// image until its instance names it, and whoever puts an image there. Who removes images holds it
/// alone, and only then looks whether an instance needs them. So nobody can lose an image between
/// choosing it and saying so. It is held for as long as it takes to create an overlay, never while
/// something downloads or the user is asked.
enum ImagesLock {
  /// How long to wait for those who hold it.
  private static let patience = Duration.seconds(20)

  private static func path(_ images: String) -> String { "\(images)/.lock" }

  /// Shares the lock.
  ///
  /// - Parameters:
  ///   - images: The folder of the images.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: The lock.
  /// - Throws: ``FileError``; ``ImageError`` `busy` where somebody else keeps it;
  ///   `CancellationError`.
  static func shared(at images: String, on loop: EventLoop) async throws -> FileLock {
    let deadline = SuspendingClock.now.advanced(by: patience)
    while true {
      if let lock = try FileLock.attemptShared(path(images)) { return lock }
      if SuspendingClock.now > deadline { throw ImageError.busy(folder: images) }
      try await loop.sleep(until: .now.advanced(by: .milliseconds(20)))
    }
  }

  /// Takes the lock alone, without leaving the calling thread.
  ///
  /// - Parameter cache: Whose images.
  /// - Returns: The lock.
  /// - Throws: ``FileError``; ``ImageError`` `busy` where others keep it.
  static func alone(in cache: Cache) throws -> FileLock {
    let deadline = SuspendingClock.now.advanced(by: patience)
    while true {
      // It takes some milliseconds where the lock is held.
      if let lock = try FileLock.attempt(path(cache.images)) { return lock }
      if SuspendingClock.now > deadline { throw ImageError.busy(folder: cache.images) }
    }
  }
}
