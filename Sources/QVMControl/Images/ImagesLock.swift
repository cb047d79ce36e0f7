internal import QMPClient

/// The lock on the folder of base images.
///
/// Processes that rely on the images share it: a `run` from choosing its base image until its
/// instance names it, and a process that installs an image. A process that removes images holds it
/// alone, and then checks whether instances need them. So a chosen image can't be removed before
/// its instance names it. The lock is held as long as creating an overlay takes, never during a
/// download or a prompt.
enum ImagesLock {
  /// How long to wait for other holders.
  private static let maximumWait = Duration.seconds(20)

  private static func path(_ images: String) -> String { "\(images)/.lock" }

  /// Shares the lock.
  ///
  /// - Parameters:
  ///   - images: The folder of the images.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: The lock.
  /// - Throws: ``FileError``; ``ImageError`` `busy` if another process keeps it;
  ///   `CancellationError`.
  static func shared(at images: String, on loop: EventLoop) async throws -> FileLock {
    let deadline = SuspendingClock.now.advanced(by: maximumWait)
    while true {
      if let lock = try FileLock.attemptShared(path(images)) { return lock }
      if SuspendingClock.now > deadline { throw ImageError.busy(folder: images) }
      try await loop.sleep(until: .now.advanced(by: .milliseconds(20)))
    }
  }

  /// Takes the lock alone, blocking the calling thread.
  ///
  /// - Parameter cache: The cache with the images.
  /// - Returns: The lock.
  /// - Throws: ``FileError``; ``ImageError`` `busy` if another process keeps it.
  static func alone(in cache: Cache) throws -> FileLock {
    let deadline = SuspendingClock.now.advanced(by: maximumWait)
    while true {
      // Each attempt takes some milliseconds while the lock is held.
      if let lock = try FileLock.attempt(path(cache.images)) { return lock }
      if SuspendingClock.now > deadline { throw ImageError.busy(folder: cache.images) }
    }
  }
}
