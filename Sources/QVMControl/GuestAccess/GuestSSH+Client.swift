package import QMPClient

/// Checks ssh, before a guest is booted for it.
extension GuestSSH {
  static func findClient() throws(SSHError) -> String {
    guard let program = Host.find("ssh") else { throw .noClient }
    return program
  }

  /// Checks that ssh is installed and works for this user.
  ///
  /// ssh fails if the user has no account name, as in a container with an arbitrary uid. ssh itself
  /// is run to find out, because a static program can't look up users in all the places that ssh
  /// does.
  ///
  /// - Throws: ``SSHError``, ``SpawnError``; `CancellationError`.
  package static func checkClient(on loop: EventLoop) async throws {
    let program = try findClient()
    let version = try await Subprocess.run(program, ["-V"], on: loop)
    guard !version.succeeded else { return }
    throw SSHError.clientFails(why: version.complaint, user: Host.realUserID)
  }
}
