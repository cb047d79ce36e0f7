import QMPClient
import Testing

@testable import QVMControl

@Suite struct MonitorArgumentsTests {
  private static func words(
    _ version: String?, _ command: [String] = ["qemu", "-drive", "id=drive0"]
  ) throws -> [String] {
    MonitorArguments(
      name: try InstanceName("vm"), files: InstanceFiles(folder: "/c,1/vm"),
      runtime: RuntimeFolder(path: "/r,2"), command: QEMUArguments(command),
      version: version.flatMap { QEMUVersion($0) }
    ).arguments
  }

  @Test(arguments: [
    (nil, ["-mon", "chardev=NAME,mode=control"]),
    ("7.2.22", ["-mon", "chardev=NAME,mode=control"]),
    ("11.0.9", ["-mon", "chardev=NAME,mode=control"]),
    ("11.1.0", ["-object", "monitor-qmp,id=NAME-qmp,chardev=NAME"]),
    ("12.0", ["-object", "monitor-qmp,id=NAME-qmp,chardev=NAME"]),
  ])
  func `commas are doubled where QEMU parses options, and monitors are made as QEMU has it`(
    version: String?, monitor: [String]
  ) throws {
    func monitors(_ name: String) -> [String] { monitor.map { $0.replacing("NAME", with: name) } }
    #expect(
      try Self.words(version) == [
        "-name", "vm", "-S", "-pidfile", "/c,1/vm/qemu.pid",
        "-chardev", "socket,id=supervisor,fd=3",
      ] + monitors("supervisor") + [
        "-chardev", "socket,id=monitor,path=/r,,2/monitor.sock,server=on,wait=off",
      ] + monitors("monitor") + [
        "-chardev",
        "socket,id=console,path=/r,,2/console.sock,server=on,wait=off,"
          + "logfile=/c,,1/vm/console.log,logappend=on",
        "-serial", "chardev:console", "-set", "drive.drive0.werror=stop",
      ])
  }

  @Test(arguments: [
    ["qemu", "-drive", "id=other"], ["qemu"], ["qemu", "-drive", "id=drive0,werror=report"],
    ["qemu", "-drive", "id=drive0", "-set", "drive.drive0.werror=enospc"],
    ["qemu", "-drive", "id=drive0", "-device", "virtio-blk,drive=drive0,werror=ignore"],
  ])
  func `a drive that isn't the drivers', or has its own word for errors, is left alone`(
    command: [String]
  ) throws {
    #expect(try !Self.words(nil, command).contains("drive.drive0.werror=stop"))
  }
}
