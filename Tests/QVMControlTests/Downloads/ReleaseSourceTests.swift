import Testing

@testable import QVMControl

@Suite struct ReleaseSourceTests {
  @Test(arguments: [
    ("https://github.com/cross-platform-actions", "=https"),
    ("https://mirror.example/x/", "=https"),
    ("http://127.0.0.1:8080/x", "=http,https"),
    ("HTTP://mirror.example", "=http,https"),
  ])
  func `plain http is spoken only where the base address is plain http`(
    base: String, protocols: String
  ) throws {
    #expect(try ReleaseSource(base: base).protocols == protocols)
  }

  @Test(arguments: [
    "", "mirror.example", "file:///etc/passwd", "ftp://mirror.example/x", "https://", "https:///x",
    "https://mirror.example/a b", "https://mirror.example/\nHost: x", "https://mirror.example/?x",
    "https://mirror.example/#x", "https://{a,b}.example", "-o/etc/passwd",
  ])
  func `what is no address of a mirror is refused`(base: String) {
    #expect(throws: ReleaseError.self) { try ReleaseSource(base: base) }
  }

  @Test(arguments: [
    "http://user:hunter2@mirror.example/x", "https://hunter2@mirror.example", "user:hunter2@mirror",
    "ftp://user:hunter2@mirror.example/?x", "https://user:sec/ret@mirror.example",
  ])
  func `an address with a password is refused without repeating it`(base: String) throws {
    let error = try #require(throws: ReleaseError.self) { try ReleaseSource(base: base) }
    #expect(error == .credentials)
    #expect(error.exitStatus == .usage)
    #expect(!"\(error.message) \(error.advice ?? "")".contains("hunter2"))
  }

  @Test func `addresses follow the layout of GitHub`() throws {
    let source = ReleaseSource.github
    #expect(
      source.latest("resources")
        == "https://github.com/cross-platform-actions/resources/releases/latest")
    #expect(
      source.asset("a.tar", tag: "v1.0.0", in: "resources")
        == "https://github.com/cross-platform-actions/resources/releases/download/v1.0.0/a.tar")
    #expect(
      source.listing("resources")
        == "https://api.github.com/repos/cross-platform-actions/resources/releases?per_page=100")
    #expect(
      try ReleaseSource(base: "http://h/x").listing("resources")
        == "http://h/x/resources/releases.json")
  }

  @Test(arguments: ["v1.0.0", "freebsd-14.2-x86-64.qcow2", "a_b+c"])
  func `tags and assets are plain names`(name: String) {
    #expect(PlainName.isValid(name))
  }

  @Test(arguments: ["", ".", "..", "../x", "a/b", "-x", "a b", "a\n", "ä", "%2e"])
  func `what could leave a folder or an address is no plain name`(name: String) {
    #expect(!PlainName.isValid(name))
  }

  @Test(arguments: [
    ("ghp_abc123", true), ("", true), ("a\"b", false), ("a\nb", false), ("a\\b", false),
  ])
  func `a token that would end its header is not sent`(token: String, isSent: Bool) {
    #expect((ReleaseClient.token(token) != nil) == isSent)
  }
}
