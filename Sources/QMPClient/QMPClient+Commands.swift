extension QMPClient {
  /// Executes a command and waits for its reply.
  ///
  /// - Parameters:
  ///   - command: The command with its arguments.
  ///   - timeout: How long to wait; for ever if nil.
  /// - Returns: The reply.
  /// - Throws: `refused` with QEMU's own words, `disconnected`, `timedOut`, `cancelled`.
  @discardableResult
  public func execute<Command: QMPCommand>(
    _ command: Command, timeout: Duration? = nil
  ) async throws(QMPError) -> Command.Reply {
    let json = try await execute(Command.name, command.arguments, timeout: timeout)
    return try json.reply(to: Command.self)
  }
}
