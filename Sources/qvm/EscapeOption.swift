import QVMControl

/// The option of all commands that show a live console.
extension Parameter {
  static func escape(keep: @escaping Keep<String>) -> Self {
    .option(
      "--escape", "KEY",
      "The key for qvm: ctrl-a to ctrl-z, ctrl-], ctrl-\\ or none (default: ctrl-]).",
      completing: .words { ["ctrl-]", "ctrl-a", "ctrl-\\", "none"] }, keep: keep)
  }
}
