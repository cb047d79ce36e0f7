internal import QMPClient

extension SupervisedVM {
  private static let answerTimeout = Duration.seconds(2)

  /// Attaches to a VM in the background. The session holds the lease from now on.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - store: Where it is.
  /// - Throws: `noSuch`; ``ConsoleError`` if the VM doesn't run, or another client is attached.
  package init(attachingTo name: InstanceName, in store: InstanceStore) throws {
    let files = try store.existing(name)
    let runtime = try ConsoleSession.runtime(of: name, files)
    let notAnswering = ConsoleError.unreachable(
      name: name.text, why: "its supervisor does not answer")
    guard let boot = files.bootRecord,
      let supervisor = SocketRenewal.connect(to: boot, files)
    else { throw notAnswering }
    supervisor.send(.attach)
    let reply = try? supervisor.answer(to: "attach", until: .now.advanced(by: Self.answerTimeout))
    guard let answer = reply?["attach"]?.string else {
      // If the supervisor grants the lease later, the VM must not end with this connection.
      supervisor.send(.detach)
      throw notAnswering
    }
    guard answer == "done" else { throw ConsoleError.busy(name: name.text) }
    let (socket, received) = supervisor.takeOver()
    self.init(
      name: name, store: store, files: files, runtime: runtime, supervisor: socket,
      received: received, isAttached: true, exposesSSH: false)
  }
}
