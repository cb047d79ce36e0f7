import Foundation
import TestSupport
import Testing

@testable import QVMControl

@Suite struct NotifySocketTests {
  @Test(arguments: ["/tmp/qvm-\(UUID().uuidString).sock", "@qvm-\(UUID().uuidString)"])
  func `a message arrives as one datagram at a path and at an abstract address`(
    address: String
  ) throws {
    defer { if address.hasPrefix("/") { unlink(address) } }
    let listener = try NotifyListener(address)
    let socket = try #require(NotifySocket(address))
    #expect(socket.send("READY=1\nSTATUS=x"))
    #expect(socket.send("STOPPING=1"))
    #expect(listener.messages == ["READY=1\nSTATUS=x", "STOPPING=1"])
  }

  @Test(arguments: [
    "", "relative", "@", "/", "vsock:2:1234", "/" + String(repeating: "x", count: 200),
  ])
  func `no other address is one`(address: String) {
    #expect(NotifySocket(address) == nil)
  }

  @Test func `a service manager that is absent or doesn't read delays nothing`() throws {
    #expect(try #require(NotifySocket("/nowhere/at/all")).send("x") == false)
    let listener = try NotifyListener("@qvm-\(UUID().uuidString)")
    let socket = try #require(NotifySocket(listener.address))
    var sent = 0
    while sent < 100_000, socket.send(String(repeating: "x", count: 1000)) { sent += 1 }
    #expect(sent < 100_000, "the queue has no end")
  }
}
