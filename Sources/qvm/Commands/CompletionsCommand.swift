import QVMControl

struct CompletionsCommand: Command {
  static let name = "completions"
  static let summary = "Print a script that lets a shell complete qvm's commands."
  static let discussion: String? = """
    Load the script in the shell's startup file:

      bash  source <(qvm completions bash)
      zsh   source <(qvm completions zsh)
      fish  qvm completions fish | source
    """
  static let parameters: [Parameter<Self>] = [
    .argument("SHELL", "bash, zsh or fish.") { $0.shell = $1 }
  ]

  var shell = Shell.bash

  func run() throws -> ExitStatus {
    try Output.show(shell.completionScript)
    return .done
  }
}
