package import QMPClient

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

  /// Returns when the guest that is ready has also taken the keys of its disk (``KeyWait``).
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - store: Where it is.
  ///   - user: The guest's user; nil for that of the image, who alone has qvm's key.
  ///   - limit: How long to wait at most.
  ///   - loop: The loop that the calling task runs on.
  ///   - remark: Called with a sentence for the user, if it takes some seconds.
  /// - Throws: ``SpawnError``; `CancellationError`.
  package static func waitForKeys(
    _ name: InstanceName, in store: InstanceStore, as user: String?, within limit: Duration,
    on loop: EventLoop, remark: (String) -> Void
  ) async throws {
    guard let wait = KeyWait(store.files(name)),
      // If there is no way to the guest, the command itself reports that.
      let status = try? VMStatus.inspect(name, in: store),
      let ssh = try? GuestSSH(status, as: user), ssh.hasOwnKey
    else { return }
    try await wait.wait(by: ssh, within: limit, on: loop) {
      remark("\(name) is up; waiting until it lets qvm's ssh key in")
    }
  }
}
