internal import QMPClient

/// How the command is started.
extension GuestCommandSession {
  /// Starts the command, after its file if it needs one.
  func startCommand() async {
    remarkToPerson("\(vm.name) is ready; running the command")
    do {
      let ssh = try GuestSSH(try VMStatus.inspect(vm.name, in: vm.store))
      if command.needsFile { deliver(by: ssh) } else { await spawnCommand(by: ssh) }
    } catch {
      inputs.send(.unable(error.messageForUser))
    }
  }

  /// Ends with the copies, because it is one.
  private func deliver(by ssh: GuestSSH) {
    let (inputs, command) = (self.inputs, self.command)
    var transfer = GuestTransfer(vm.name.text, by: ssh, loginTimeout: readyTimeout, on: loop)
    transfer.isInteractive = false
    let delivery = transfer
    copying = Task(executorPreference: loop) {
      do {
        try await TaskDelivery.deliver(command, by: delivery)
        inputs.send(.delivered(ssh))
      } catch is CancellationError {
      } catch {
        inputs.send(.unable(error.textForUser))
      }
    }
  }

  func spawnCommand(by ssh: GuestSSH) async {
    let inputs = self.inputs
    do {
      process = try await GuestCommandRun(
        command, by: ssh, options: ["-o", "BatchMode=yes"], loginTimeout: readyTimeout, on: loop
      ) { inputs.send(.commandEnded($0)) }
    } catch {
      inputs.send(.unable(error.messageForUser))
    }
  }
}
