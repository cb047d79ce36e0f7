extension GuestSSH {
  /// The ssh client for a VM, by its status.
  ///
  /// - Parameters:
  ///   - status: The status.
  ///   - user: The guest's user; nil for that of the image.
  /// - Throws: ``SSHError`` if there is nothing to reach, or no ssh; ``FileError`` if the file for the
  ///   host key is not the instance's own.
  package init(_ status: VMStatus, as user: String? = nil) throws {
    guard status.phase.isAlive else { throw SSHError.notRunning(name: status.name) }
    try self.init(status.name, status.record?.target, status.boot, status.files, as: user)
  }

  /// Makes sure that a VM runs, and that its guest has an ssh server or will start one.
  ///
  /// - Throws: ``SSHError``.
  package static func checkServer(of status: VMStatus) throws(SSHError) {
    guard status.phase.isAlive else { throw .notRunning(name: status.name) }
    _ = try checkServer(status.name, status.record?.target, status.boot)
  }
}
