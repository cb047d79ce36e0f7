import Testing

@testable import QVMControl

@Suite struct MonitorArgumentsTests {
  @Test func `commas are doubled where QEMU parses options, and only there`() throws {
    let words = MonitorArguments(
      name: try InstanceName("vm"), files: InstanceFiles(folder: "/c,1/vm"),
      runtime: RuntimeFolder(path: "/r,2")
    ).words
    #expect(
      words == [
        "-name", "vm", "-S", "-pidfile", "/c,1/vm/qemu.pid",
        "-chardev", "socket,id=supervisor,fd=3", "-mon", "chardev=supervisor,mode=control",
        "-chardev", "socket,id=monitor,path=/r,,2/monitor.sock,server=on,wait=off",
        "-mon", "chardev=monitor,mode=control",
        "-chardev",
        "socket,id=console,path=/r,,2/console.sock,server=on,wait=off,"
          + "logfile=/c,,1/vm/console.log,logappend=on",
        "-serial", "chardev:console",
      ])
  }
}
