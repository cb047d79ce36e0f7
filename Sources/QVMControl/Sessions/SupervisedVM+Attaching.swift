internal import QMPClient

extension SupervisedVM {
  private static let answerTimeout = Duration.seconds(2)

  /// A VM that runs in the background, for a session that holds its lease from now on.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - store: Where it is.
  /// - Throws: `noSuch`; ``ConsoleError`` where it doesn't run, or somebody else is attached.
  package init(attachingTo name: InstanceName, in store: InstanceStore) throws {
    let files = try store.existing(name)
    let runtime = try ConsoleSession.runtime(of: name, files)
    let notAnswering = ConsoleError.unreachable(
      name: name.text, why: "its supervisor does not answer")
    guard let boot = try? BootRecord.read(files.boot),
      let supervisor = SocketRenewal.connect(to: boot, files)
    else { throw notAnswering }
    supervisor.send(.attach)
    let reply = try? supervisor.answer(to: "attach", until: .now.advanced(by: Self.answerTimeout))
    guard let answer = reply?["attach"]?.string else {
      // Should it be given the lease later, the VM must not end with that.
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
