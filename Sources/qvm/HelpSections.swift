extension HelpSection {
  /// The sections of the program's help after the list of commands.
  static var ofProgram: [HelpSection] {
    [
      HelpSection(
        title: "Environment",
        rows: [
          HelpRow(
            "QVM_CACHE",
            "The cache folder (default: $XDG_CACHE_HOME/qvm, or else ~/.cache/qvm)."),
          HelpRow("QVM_BASE_URL", "A mirror of https://github.com/cross-platform-actions."),
          HelpRow(
            "QVM_QEMU",
            "The QEMU to use: auto (default), managed (downloaded by qvm), system, or a folder with"
              + " bin/ and share/qemu/."),
          HelpRow("QVM_ACCEL", "The default for --accel."),
          HelpRow("QVM_SSH_ADDRESS", "The default for --ssh-address."),
          HelpRow("QVM_ESCAPE", "The default for --escape."),
          HelpRow(
            "QVM_QEMU_CORE", "1 lets a QEMU that crashes leave a core dump, within 'ulimit -c'."),
          HelpRow("GITHUB_TOKEN", "A token to look up releases with."),
        ]),
      HelpSection(
        title: "Exit status",
        rows: [
          HelpRow("0", "Success."), HelpRow("1", "Failure."),
          HelpRow("3", "status, ssh, console, attach: the instance is not running."),
          HelpRow("4", "There is no such instance."),
          HelpRow("5", "wait, ssh: the VM ended first."), HelpRow("64", "Usage error."),
          HelpRow("124", "Timeout."),
          HelpRow("130", "Interrupted, or the user forced the shutdown."),
          HelpRow(
            "other",
            "With COMMAND: its exit status, 128 plus the signal that ended it, or 255 if ssh failed."
          ),
        ]),
      HelpSection(
        title: "Examples",
        rows: [
          HelpRow("qvm run --rm demo 1", "Boot the built-in guest, without a download."),
          HelpRow("qvm run freebsd 14.2", "Boot FreeBSD. Ctrl-C shuts it down."),
          HelpRow("qvm run freebsd 14", "Boot its newest 14.x."),
          HelpRow("qvm matrix freebsd:14 netbsd -- id", "Run a command on several systems."),
          HelpRow("qvm run -d --name box openbsd 7.6 && qvm ssh box", ""),
        ]),
    ]
  }
}
