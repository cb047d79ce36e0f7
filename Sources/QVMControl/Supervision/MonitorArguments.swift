/// The arguments that qvm adds to a driver's, all in one place.
package struct MonitorArguments: Sendable {
  /// The descriptor of the private monitor in QEMU; standard input, output and error come before.
  package static let monitorDescriptor = 3
  /// The descriptor of the lock that QEMU holds for as long as it lives.
  package static let lockDescriptor = 4

  package let name: InstanceName
  package let files: InstanceFiles
  package let runtime: RuntimeFolder

  package init(name: InstanceName, files: InstanceFiles, runtime: RuntimeFolder) {
    self.name = name
    self.files = files
    self.runtime = runtime
  }

  package var words: [String] {
    // swift-format-ignore
    [
      "-name", name.text,
      // No instruction of the guest runs, and no byte of its console is lost, before qvm watches.
      "-S",
      "-pidfile", files.qemuPid,
      // The supervisor's own: a socket without a path can't be taken by anybody else.
      "-chardev", "socket,id=supervisor,fd=\(Self.monitorDescriptor)",
      "-mon", "chardev=supervisor,mode=control",
      // For everybody else, and for taking over when the supervisor was killed.
      "-chardev", "socket,id=monitor,path=\(OptionItems.quoted(runtime.monitor)),server=on,wait=off",
      "-mon", "chardev=monitor,mode=control",
      "-chardev", "socket,id=console,path=\(OptionItems.quoted(runtime.console)),server=on,wait=off,"
        + "logfile=\(OptionItems.quoted(files.console)),logappend=on",
      "-serial", "chardev:console",
    ]
  }
}
