import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct RuntimeFolderTests {
  @Test func `the folder of an instance is the same each time, and its own`() throws {
    let one = try RuntimeFolder.of(InstanceFiles(folder: "/c/instances/one"))
    #expect(try RuntimeFolder.of(InstanceFiles(folder: "/c/instances/one")) == one)
    #expect(try RuntimeFolder.of(InstanceFiles(folder: "/c/instances/two")) != one)
    #expect(try RuntimeFolder.of(InstanceFiles(folder: "/d/instances/one")) != one)
  }

  @Test func `its sockets fit into an address, however long the cache's path is`() throws {
    let long = "/" + String(repeating: "long/", count: 300) + "instances/vm"
    let runtime = try RuntimeFolder.of(InstanceFiles(folder: long))
    for socket in [runtime.monitor, runtime.console, runtime.control] {
      #expect(socket.utf8.count <= SocketCalls.longestPath)
      #expect(socket.hasPrefix("/"))
    }
    #expect(Set([runtime.monitor, runtime.console, runtime.control]).count == 3)
  }

  @Test func `it is made for this user alone, and the sockets of an earlier boot go`() throws {
    let folder = try TemporaryFolder()
    let runtime = RuntimeFolder(path: "\(folder.path)/qvm/hash")
    try runtime.prepare()
    for path in ["\(folder.path)/qvm", runtime.path] {
      #expect(Files.information(path)?.mode == 0o700)
    }
    _ = try SocketCalls.listen(runtime.monitor)
    #expect(Files.information(runtime.monitor)?.kind == .socket)
    try runtime.prepare()
    #expect(!Files.exists(runtime.monitor))
    runtime.remove()
    #expect(!Files.exists(runtime.path))
  }

  @Test(arguments: ["monitor.sock", "console.sock", "control.sock"])
  func `a file in a socket's place is refused, and stays`(name: String) throws {
    let folder = try TemporaryFolder()
    let runtime = RuntimeFolder(path: "\(folder.path)/qvm/hash")
    try runtime.prepare()
    let path = "\(runtime.path)/\(name)"
    try Files.write([1], to: path)
    let error = #expect(throws: RuntimeFolderError.self) { try runtime.prepare() }
    #expect(error?.message.contains(path) == true)
    #expect(try Files.read(path) == [1])
  }

  @Test func `a link in its place is refused`() throws {
    let folder = try TemporaryFolder()
    try Files.makeFolder("\(folder.path)/elsewhere")
    try Files.makeFolder("\(folder.path)/qvm")
    try Files.link("\(folder.path)/elsewhere", at: "\(folder.path)/qvm/hash")
    let error = #expect(throws: RuntimeFolderError.self) {
      try RuntimeFolder(path: "\(folder.path)/qvm/hash").prepare()
    }
    #expect(error?.message == "cannot use \(folder.path)/qvm/hash: it is a symbolic link")
  }

  @Test func `a folder that others may enter is closed to them`() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/qvm/hash"
    try Files.makeFolder(path)
    try Files.setMode(0o777, of: path)
    try RuntimeFolder(path: path).prepare()
    #expect(Files.information(path)?.mode == 0o700)
  }
}
