import QVMControl
import Testing

/// Which of the user's words for QEMU are relative paths, and which only look like some.
@Suite struct QEMUArgumentsPathsTests {
  private static let present: Set<String> = ["/home/me/user", "/home/me/tftp", "/home/me/host"]

  @Test(arguments: [
    (
      ["-kernel", "bzImage", "-append", "root=a/b"],
      ["-kernel", "/home/me/bzImage", "-append", "root=a/b"]
    ),
    (["--cdrom", "../x.iso"], ["--cdrom", "/home/me/../x.iso"]),
    (["-cdrom", "http://host/x.iso"], ["-cdrom", "http://host/x.iso"]),
    (["-bios", "seabios.bin"], ["-bios", "seabios.bin"]),
    (["-bios", "./seabios.bin"], ["-bios", "/home/me/./seabios.bin"]),
    (["-drive", "if=none,file=a,,b.img,id=x"], ["-drive", "if=none,file=/home/me/a,,b.img,id=x"]),
    (["-drive", "file=/abs,id=x"], ["-drive", "file=/abs,id=x"]),
    (["-drive", "file=nbd:unix:sock"], ["-drive", "file=nbd:unix:sock"]),
    (
      ["-blockdev", "driver=file,filename=d.raw,node-name=n"],
      ["-blockdev", "driver=file,filename=/home/me/d.raw,node-name=n"]
    ),
    (
      ["-blockdev", #"{"driver":"file","filename":"d"}"#],
      ["-blockdev", #"{"driver":"file","filename":"d"}"#]
    ),
    (["-chardev", "file,id=c,path=out.log"], ["-chardev", "file,id=c,path=/home/me/out.log"]),
    (["-serial", "file:out.log"], ["-serial", "file:/home/me/out.log"]),
    (["-monitor", "unix:m.sock,server=on"], ["-monitor", "unix:/home/me/m.sock,server=on"]),
    (["-serial", "unix:/m.sock"], ["-serial", "unix:/m.sock"]),
    // Words that are names, though there are files of that name.
    (["-netdev", "user,id=u,tftp=tftp"], ["-netdev", "user,id=u,tftp=/home/me/tftp"]),
    (["-netdev", "tap,id=u,script=no"], ["-netdev", "tap,id=u,script=no"]),
    (
      ["-cpu", "host", "-device", "virtio-net,id=file"],
      ["-cpu", "host", "-device", "virtio-net,id=file"]
    ),
    (["-snapshot", "-no-reboot"], ["-snapshot", "-no-reboot"]),
  ])
  func `paths become absolute, other words stay`(words: [String], expected: [String]) {
    let result = QEMUArguments.withAbsolutePaths(words, in: "/home/me") {
      Self.present.contains($0)
    }
    #expect(result == expected)
    // Once more, from elsewhere, nothing changes any more.
    #expect(QEMUArguments.withAbsolutePaths(result, in: "/else") { _ in false } == expected)
  }

  @Test func `a comma in the folder's name is doubled where QEMU splits at commas`() {
    let words = ["-drive", "file=x", "-serial", "file:x", "-kernel", "x"]
    #expect(
      QEMUArguments.withAbsolutePaths(words, in: "/a,b") { _ in false }
        == ["-drive", "file=/a,,b/x", "-serial", "file:/a,,b/x", "-kernel", "/a,b/x"])
  }
}
