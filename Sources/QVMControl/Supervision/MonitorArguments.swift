package import QMPClient

/// The arguments that qvm adds to a driver's, all in one place.
package struct MonitorArguments: Sendable {
  /// The descriptor of the private monitor in QEMU; standard input, output and error come before.
  package static let monitorDescriptor = 3
  /// The descriptor of the lock that QEMU holds for as long as it lives.
  package static let lockDescriptor = 4

  package let name: InstanceName
  package let files: InstanceFiles
  package let runtime: RuntimeFolder
  /// Where QEMU writes its pid.
  package let pidFile: String
  /// The arguments that they are added to.
  package let command: QEMUArguments
  /// QEMU's version; nil if it is unknown.
  package let version: QEMUVersion?

  /// The arguments for an instance.
  ///
  /// - Parameters:
  ///   - name: Its name.
  ///   - files: Its files.
  ///   - runtime: Where its sockets are.
  ///   - token: The boot that the sockets and the pid file belong to; nil for none yet.
  ///   - command: The arguments that these are added to.
  ///   - version: QEMU's; nil if it is unknown.
  package init(
    name: InstanceName, files: InstanceFiles, runtime: RuntimeFolder, boot token: String? = nil,
    command: QEMUArguments, version: QEMUVersion?
  ) {
    self.name = name
    self.files = files
    self.runtime = token.map { runtime.addresses(ofBoot: $0) } ?? runtime
    pidFile = token.map { files.qemuPid(ofBoot: $0) } ?? files.qemuPid
    self.command = command
    self.version = version
  }

  package var arguments: [String] {
    // swift-format-ignore
    [
      "-name", name.text,
      // No instruction of the guest runs, and no byte of its console is lost, before qvm watches.
      "-S",
      "-pidfile", pidFile,
      // The supervisor's own: a socket without a path can't be taken by another client.
      "-chardev", "socket,id=supervisor,fd=\(Self.monitorDescriptor)",
    ] + Self.monitor(on: "supervisor", version) + [
      // For other clients, and for adoption after the supervisor was killed.
      "-chardev", "socket,id=monitor,path=\(QEMUOptionValue.quoted(runtime.monitor)),server=on,wait=off",
    ] + Self.monitor(on: "monitor", version) + [
      "-chardev", "socket,id=console,path=\(QEMUOptionValue.quoted(runtime.console)),server=on,wait=off,"
        + "logfile=\(QEMUOptionValue.quoted(files.console)),logappend=on",
      "-serial", "chardev:console",
    ] + pauseOnWriteErrors
  }

  /// Where `-mon` is deprecated in favour of an object.
  private static let firstWithObject = QEMUVersion(major: 11, minor: 1, micro: 0)

  /// The arguments for a QMP monitor on a character device.
  static func monitor(on device: String, _ version: QEMUVersion?) -> [String] {
    guard let version, version >= firstWithObject else {
      return ["-mon", "chardev=\(device),mode=control"]
    }
    return ["-object", "monitor-qmp,id=\(device)-qmp,chardev=\(device)"]
  }

  /// Pauses the guest when its disk can't be written for any reason. QEMU does so by itself only if the
  /// disk is full. A quota, a limit or a cable can be mended, but not a file system that was told of
  /// lost writes. A `werror` of the user's own takes precedence.
  private var pauseOnWriteErrors: [String] {
    let isSaid = command.words.contains { $0.contains("werror=") }
    return command.hasDrive("drive0") && !isSaid ? ["-set", "drive.drive0.werror=stop"] : []
  }
}
