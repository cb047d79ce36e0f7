package import QMPClient

/// The arguments that qvm adds to a driver's command line: the monitors, the console and the pid file.
package struct MonitorArguments: Sendable {
  /// The descriptor at which QEMU inherits the supervisor's end of the private monitor: the first one
  /// after standard error.
  package static let monitorDescriptor = 3
  /// The descriptor at which QEMU inherits `vm.lock`. It never uses it: the lock is held until QEMU's
  /// process has ended, even if all of qvm was killed.
  package static let lockDescriptor = 4

  package let name: InstanceName
  package let files: InstanceFiles
  package let runtime: RuntimeFolder
  /// Where QEMU writes its pid.
  package let pidFile: String
  /// The driver's command line with the user's changes.
  package let command: QEMUArguments
  /// QEMU's version; nil if it is unknown.
  package let version: QEMUVersion?

  /// The arguments for an instance.
  ///
  /// - Parameters:
  ///   - name: Its name.
  ///   - files: Its files.
  ///   - runtime: The folder of its sockets.
  ///   - token: The boot's token, which makes the names of the sockets and of the pid file its own; nil
  ///     for a command that is only shown.
  ///   - command: The driver's command line with the user's changes.
  ///   - version: QEMU's version; nil if it is unknown.
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
      // QEMU waits for `cont`, so that the supervisor sees every event, and the console's client every
      // byte.
      "-S",
      "-pidfile", pidFile,
      // The supervisor's monitor. A monitor serves one client at a time, and this socket has no path by
      // which another one could connect first.
      "-chardev", "socket,id=supervisor,fd=\(Self.monitorDescriptor)",
    ] + Self.monitor(on: "supervisor", version) + [
      // A second monitor for the user's tools, and for a new supervisor if the first one is killed.
      "-chardev", "socket,id=monitor,path=\(QEMUOptionValue.quoted(runtime.monitor)),server=on,wait=off",
    ] + Self.monitor(on: "monitor", version) + [
      "-chardev", "socket,id=console,path=\(QEMUOptionValue.quoted(runtime.console)),server=on,wait=off,"
        + "logfile=\(QEMUOptionValue.quoted(files.console)),logappend=on",
      "-serial", "chardev:console",
    ] + pauseOnWriteErrors
  }

  /// The first QEMU that deprecates `-mon` in favour of an object.
  private static let firstWithObject = QEMUVersion(major: 11, minor: 1, micro: 0)

  /// The arguments for a QMP monitor on a character device.
  static func monitor(on device: String, _ version: QEMUVersion?) -> [String] {
    guard let version, version >= firstWithObject else {
      return ["-mon", "chardev=\(device),mode=control"]
    }
    return ["-object", "monitor-qmp,id=\(device)-qmp,chardev=\(device)"]
  }

  /// Pauses the guest when its disk can't be written for any reason. QEMU's default is to pause it only
  /// if the disk is full, and to report other errors to the guest. The guest's file system may be damaged
  /// by such a report, while most causes (a quota, a limit, a cable) can be removed and the write
  /// repeated. If the user has set `werror`, that takes precedence.
  private var pauseOnWriteErrors: [String] {
    let isSet = command.words.contains { $0.contains("werror=") }
    return command.hasDrive("drive0") && !isSet ? ["-set", "drive.drive0.werror=stop"] : []
  }
}
