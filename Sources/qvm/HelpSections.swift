extension HelpSection {
  /// What the program's help says after its commands.
  static var ofProgram: [HelpSection] {
    [
      HelpSection(
        title: "Environment",
        rows: [
          HelpRow(
            "QVM_CACHE",
            "The cache (default: $XDG_CACHE_HOME/qvm, else ~/.cache/qvm); ~/ is home."),
          HelpRow("QVM_BASE_URL", "A mirror of https://github.com/cross-platform-actions."),
          HelpRow("QVM_QEMU", "auto, managed, system, or a folder with bin/ and share/qemu/."),
          HelpRow("QVM_ACCEL", "The accelerators to try, as for --accel."),
          HelpRow("QVM_SSH_ADDRESS", "The address for ssh, as for --ssh-address."),
          HelpRow("QVM_ESCAPE", "The key for qvm at a console, as for --escape."),
          HelpRow("QVM_QEMU_CORE", "1: a QEMU that crashes may leave a core, as 'ulimit -c' says."),
          HelpRow("GITHUB_TOKEN", "Used to look up releases."),
        ]),
      HelpSection(
        title: "Exit status",
        rows: [
          HelpRow("0", "Done."), HelpRow("1", "Failed."),
          HelpRow("3", "status, ssh, console, attach: the instance is not running."),
          HelpRow("4", "There is no such instance."),
          HelpRow("5", "wait, ssh: the VM ended first."), HelpRow("64", "Usage."),
          HelpRow("124", "Timed out."), HelpRow("130", "The shutdown was forced by the user."),
          HelpRow(
            "other", "With a COMMAND its own, 128 + a signal that ended it; 255 where ssh failed."),
        ]),
      HelpSection(
        title: "Examples",
        rows: [
          HelpRow("qvm run --rm demo 1", "Try it without a download."),
          HelpRow("qvm run freebsd 14.2", "Boot FreeBSD; Ctrl-C shuts it down."),
          HelpRow("qvm run -d --name box openbsd 7.6 && qvm wait box", ""),
        ]),
    ]
  }
}
