package import QMPClient

/// Whether there is an ssh that works for the user, to be known before a guest is booted for it.
extension GuestSSH {
  static func findClient() throws(SSHError) -> String {
    guard let program = Host.find("ssh") else { throw .noClient }
    return program
  }

  /// Makes sure that ssh is there and runs for this user.
  ///
  /// It runs for nobody whom the system has no name for, as in a container with an arbitrary uid.
  /// It is asked itself: a static program can't look users up in all the places that ssh does.
  ///
  /// - Throws: ``SSHError``, ``SpawnError``; `CancellationError`.
  package static func checkClient(on loop: EventLoop) async throws {
    let program = try findClient()
    let version = try await Subprocess.run(program, ["-V"], on: loop)
    guard !version.succeeded else { return }
    throw SSHError.clientFails(why: version.complaint, user: Host.realUserID)
  }
}
