import QVMControl

struct CompletionsCommand: Command {
  static let name = "completions"
  static let summary = "Print what a shell needs to complete qvm's words."
  static let parameters: [Parameter<Self>] = [
    .argument("SHELL", "bash, zsh or fish.") { $0.shell = $1 }
  ]

  var shell = Shell.bash

  func run() throws -> ExitStatus {
    try Output.show(shell.completionScript)
    return .done
  }
}
