import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct RuntimeFolderTests {
  private static let long = "/" + String(repeating: "long/", count: 300) + "instances/"

  @Test func `sockets lie beside the disk where their paths fit, else a short link leads there`() {
    let beside = RuntimeFolder.of(InstanceFiles(folder: "/c/instances/vm"))
    #expect(beside.isBeside)
    #expect(beside.path == "/c/instances/vm")
    let one = RuntimeFolder.of(InstanceFiles(folder: Self.long + "one"))
    #expect(one.isBeside)
    #expect(one == RuntimeFolder.of(InstanceFiles(folder: Self.long + "one")))
    #expect(one.path != RuntimeFolder.of(InstanceFiles(folder: Self.long + "two")).path)
    for socket in one.sockets {
      #expect(socket.utf8.count <= SocketCalls.longestPath)
      #expect(socket.hasPrefix("/"))
    }
    #expect(Set(one.sockets).count == 3)
  }

  @Test func `a folder of their own is made for this user alone, and goes with them`() throws {
    let folder = try TemporaryFolder()
    let runtime = RuntimeFolder(path: "\(folder.path)/qvm/hash")
    try runtime.prepare(forBoot: "0123456789abcdef")
    for path in ["\(folder.path)/qvm", runtime.path] {
      #expect(Files.information(path)?.mode == 0o700)
    }
    _ = try SocketCalls.listen(runtime.monitor)
    #expect(Files.information(runtime.monitor)?.kind == .socket)
    try runtime.prepare(forBoot: "0123456789abcdef")
    #expect(!Files.exists(runtime.monitor))
    runtime.remove()
    #expect(!Files.exists(runtime.path))
  }

  @Test func `a socket with a listener is not removed`() throws {
    let folder = try TemporaryFolder()
    let runtime = RuntimeFolder(path: "\(folder.path)/qvm/hash")
    try runtime.prepare(forBoot: "0123456789abcdef")
    let listener = try SocketCalls.listen(runtime.control)
    let error = #expect(throws: RuntimeFolderError.self) {
      try runtime.prepare(forBoot: "0123456789abcdef")
    }
    #expect(error?.message == "cannot use \(runtime.control): another program listens on it")
    #expect(throws: RuntimeFolderError.self) { try runtime.prepareControl() }
    _ = try SocketCalls.listen(runtime.console)
    runtime.remove()
    #expect(!Files.exists(runtime.console))
    #expect(SocketCalls.isListening(runtime.control))
    withExtendedLifetime(listener) {}
  }

  @Test(arguments: ["monitor.sock", "console.sock", "control.sock"])
  func `a file in a socket's place is refused, and stays`(name: String) throws {
    let folder = try TemporaryFolder()
    let runtime = RuntimeFolder(path: "\(folder.path)/qvm/hash")
    try runtime.prepare(forBoot: "0123456789abcdef")
    let path = "\(runtime.path)/\(name)"
    try Files.write([1], to: path)
    let error = #expect(throws: RuntimeFolderError.self) {
      try runtime.prepare(forBoot: "0123456789abcdef")
    }
    #expect(error?.message.contains(path) == true)
    #expect(try Files.read(path) == [1])
  }

  @Test func `a link in its place is refused`() throws {
    let folder = try TemporaryFolder()
    try Files.makeFolder("\(folder.path)/elsewhere")
    try Files.makeFolder("\(folder.path)/qvm")
    try Files.link("\(folder.path)/elsewhere", at: "\(folder.path)/qvm/hash")
    let error = #expect(throws: RuntimeFolderError.self) {
      try RuntimeFolder(path: "\(folder.path)/qvm/hash").prepare(forBoot: "0123456789abcdef")
    }
    #expect(error?.message == "cannot use \(folder.path)/qvm/hash: it is a symbolic link")
  }

  @Test func `a folder that others may enter is closed to them`() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/qvm/hash"
    try Files.makeFolder(path)
    try Files.setMode(0o777, of: path)
    try RuntimeFolder(path: path).prepare(forBoot: "0123456789abcdef")
    #expect(Files.information(path)?.mode == 0o700)
  }

  @Test func `a folder that others may write to is not connected to`() throws {
    let folder = try TemporaryFolder()
    let runtime = RuntimeFolder(path: "\(folder.path)/hash")
    try runtime.prepare(forBoot: "0123456789abcdef")
    let listener = try SocketCalls.listen(runtime.control)
    _ = try runtime.connect(runtime.control)
    try Files.setMode(0o722, of: runtime.path)
    #expect(throws: SystemError.notOwned) { try runtime.connect(runtime.control) }
    withExtendedLifetime(listener) {}
  }

  @Test func `the instance's folder itself is left alone when its sockets go`() throws {
    let folder = try TemporaryFolder()
    let files = InstanceFiles(folder: "\(folder.path)/vm")
    try Files.makeFolder(files.folder)
    try Files.write([1], to: files.outcome)
    let runtime = RuntimeFolder.of(files)
    #expect(runtime.takesSockets())
    try runtime.prepare(forBoot: "0123456789abcdef")
    _ = try SocketCalls.listen(runtime.control)
    runtime.remove()
    #expect(Files.list(files.folder) == ["outcome.json"])
  }
}
