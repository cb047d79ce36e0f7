import QVMControl

/// The option of every command that shows a live console.
extension Parameter {
  static func escape(keep: @escaping Keep<String>) -> Self {
    .option(
      "--escape", "KEY",
      "The key before a command to qvm: ctrl-a to ctrl-z, ctrl-], ctrl-\\ or none (default: ctrl-]).",
      completing: .words { ["ctrl-]", "ctrl-a", "ctrl-\\", "none"] }, keep: keep)
  }
}
