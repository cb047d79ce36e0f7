import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct InstanceRecordTests {
  private static let text = """
    {"schema":1,"name":"vm","os":"freebsd","version":"14.2","platform":"x86-64",\
    "createdAt":"2000-02-29T12:34:56Z","baseImage":"/c/images/v1/freebsd-14.2-x86-64.qcow2",\
    "baseDigest":"0a1b","options":{"cpus":2}}
    """
  private let folder: TemporaryFolder
  private var path: String { "\(folder.path)/instance.json" }

  init() throws { folder = try TemporaryFolder() }

  @Test func `the file's bytes are these, and they are read back`() throws {
    let record = InstanceRecord(
      name: "vm",
      target: try Target(
        operatingSystem: "freebsd", version: "14.2", platform: "x86-64", host: .x86_64),
      createdAt: Timestamp(seconds: 951_827_696),
      baseImage: "/c/images/v1/freebsd-14.2-x86-64.qcow2", baseDigest: "0a1b",
      options: ["cpus": 2])
    #expect(record.json.text == Self.text)
    try Files.write(Array(Self.text.utf8), to: path)
    #expect(try InstanceRecord(reading: path) == record)
  }

  @Test func `one from before the base image's digest was noted is read`() throws {
    let old = Self.text.replacing("\"baseDigest\":\"0a1b\",", with: "")
    try Files.write(Array(old.utf8), to: path)
    #expect(try InstanceRecord(reading: path).baseDigest == nil)
  }

  @Test func `an absent file is an error, and so is one torn at any length`() throws {
    #expect(throws: JSONFileError.self) { try InstanceRecord(reading: path) }
    for length in 0..<Self.text.utf8.count {
      try Files.write(Array(Self.text.utf8.prefix(length)), to: path)
      #expect(throws: JSONFileError.self) { try InstanceRecord(reading: path) }
    }
  }

  @Test(arguments: [
    ("freebsd", "plan9"), ("14.2", "../14"), ("x86-64", "vax"), ("2000-02-29T", "2000-02-29 "),
  ])
  func `a value that means nothing is an error`(old: String, new: String) throws {
    try Files.write(Array(Self.text.replacing(old, with: new).utf8), to: path)
    #expect(throws: JSONFileError.self) { try InstanceRecord(reading: path) }
  }

  @Test func `a file of a newer qvm is refused`() throws {
    try Files.write(
      Array(Self.text.replacing("\"schema\":1", with: "\"schema\":2").utf8), to: path)
    #expect(throws: JSONFileError.futureSchema(2, path: path)) {
      try InstanceRecord(reading: path)
    }
  }
}
