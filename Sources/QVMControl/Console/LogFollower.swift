package import QMPClient

/// Reads a log and follows it until the VM that writes it has ended.
package struct LogFollower: Sendable {
  private let path: String
  private let lockPath: String
  /// The offset at which to begin, in bytes.
  private let start: Int
  private let loop: EventLoop

  package init(path: String, lockPath: String, from start: Int = 0, on loop: EventLoop) {
    self.path = path
    self.start = start
    self.lockPath = lockPath
    self.loop = loop
  }

  private enum Input: Sendable { case grew, ended, readerGone }

  /// Shows the log's contents and its growth until the VM has ended.
  ///
  /// - Throws: ``OutputError`` if no process reads standard output any more; ``FileError``;
  ///   `SystemError` if no thread can be started to wait for the end; what `show` throws.
  package func follow(_ show: (LogFile.Part) throws -> Void) async throws {
    let inputs = Mailbox<Input>()
    // Watch it before reading it, so that no growth is missed in between.
    let watch = try FileWatch(path)
    let reading = loop.watch(watch.descriptor.number, for: .read) {
      watch.clear()
      inputs.send(.grew)
    }
    let reader = ConsoleOutput.watchReader(on: loop) { inputs.send(.readerGone) }
    defer {
      loop.cancel(reading)
      loop.cancel(reader)
    }
    let lock = lockPath
    guard
      startThread({
        try? FileLock.untilFree(lock)
        inputs.send(.ended)
      })
    else { throw SystemError.noThread }
    var position = start
    inputs.send(.grew)
    while let input = await inputs.next() {
      if input == .readerGone { throw OutputError(cause: .brokenPipe) }
      let part = try LogFile(path).read(from: position)
      position = part.end
      try show(part)
      if input == .ended { return }
    }
  }
}
