internal import QMPClient

/// What is copied before the command and after it.
extension GuestCommandSession {
  /// Copies the volumes in. The command follows.
  func startCopyingIn() {
    remarkToPerson("\(vm.name) is ready; copying into it")
    let (inputs, files) = (self.inputs, self.files)
    let (vm, loop, timeout) = (self.vm, self.loop, readyTimeout)
    copying = Task(executorPreference: loop) {
      do {
        let transfer = try GuestTransfer(vm, timeout, on: loop)
        inputs.send(.arrived(try await files.copyIn(by: transfer)))
      } catch is CancellationError {
      } catch {
        inputs.send(.unable(error.textForUser))
      }
    }
  }

  /// Copies back what has changed, and fetches the outputs. The shutdown follows.
  func startCopyingBack() {
    let (inputs, files, arrivals) = (self.inputs, self.files, self.arrivals)
    let (vm, loop, timeout) = (self.vm, self.loop, readyTimeout)
    copying = Task(executorPreference: loop) {
      do {
        let transfer = try GuestTransfer(vm, timeout, on: loop)
        let copied = await files.copyBack(arrivals, by: transfer)
        if !Task.isCancelled { inputs.send(.returned(copied)) }
      } catch {
        inputs.send(.unable(error.messageForUser))
      }
    }
  }

  func handle(_ copied: CommandFiles.CopiedIn) async {
    arrivals = copied.arrivals
    for line in copied.report.lines(isQuiet: isQuiet) { output.remark(line) }
    if escalation.step == 0 { await startCommand() }
  }

  /// The command's status stays. Only if it was good, changes that did not come back make it bad.
  func handle(_ copied: CommandFiles.CopiedBack) async {
    arrivals = []
    for report in [copied.volumes, copied.outputs] {
      for line in report.lines(isQuiet: isQuiet) { output.remark(line) }
    }
    if !copied.volumes.isComplete, status == .done { status = .failed }
    await stop(.powerButton)
  }

  /// Goes on after the command has ended.
  func finish() async {
    let hasFiles = !arrivals.isEmpty || !files.outputs.isEmpty
    if hasFiles, !escalation.isForcing { startCopyingBack() } else { await stop(.powerButton) }
  }

  /// Ends a copy that is under way, and says what is missing because of that. A good status of the
  /// command becomes bad if changes are missing.
  func endCopying() {
    copying?.cancel()
    guard !arrivals.isEmpty else { return }
    for arrival in arrivals { output.remark(CommandFiles.missing(arrival.volume)) }
    arrivals = []
    if status == .done { status = .failed }
  }
}

extension GuestTransfer {
  /// To a VM that runs a command.
  fileprivate init(_ vm: SupervisedVM, _ timeout: Duration, on loop: EventLoop) throws {
    let ssh = try GuestSSH(try VMStatus.inspect(vm.name, in: vm.store))
    self.init(vm.name.text, by: ssh, loginTimeout: timeout, on: loop)
    isInteractive = false
  }
}

extension Error {
  /// The message for the user, and the advice on a line of its own.
  var textForUser: String {
    guard let error = self as? any UserFacingError else { return "\(self)" }
    return ([error.message] + [error.advice].compactMap(\.self)).joined(separator: "\n")
  }
}
