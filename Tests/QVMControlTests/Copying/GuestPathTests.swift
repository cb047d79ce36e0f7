import TestSupport
import Testing

@testable import QVMControl

/// Paths in guests, and places on this host, as `cp -R` understands them.
@Suite struct GuestPathTests {
  @Test(arguments: [
    ("", ".", "", true), (".", ".", "", true), ("~", ".", "", true), ("~/x/", "x", "x", false),
    ("a/./b//", "a/b", "b", false), ("/", "/", "", true), ("/a/", "/a", "a", false),
    ("a/..", "a/..", "", true), ("a/.", "a", "", true), ("-x", "-x", "-x", false),
  ])
  func `a path has a plain form, a last name, or is what is in a folder`(
    text: String, plain: String, last: String, isContents: Bool
  ) {
    let path = GuestPath(text)
    #expect(path.plain.text == plain)
    #expect(path.lastName == last)
    #expect(path.isContents == isContents)
  }

  @Test(arguments: ["/", "//", "/.", "/a/..", "/../..", "/a/b/../.."])
  func `the root is the root whatever way it is written`(text: String) {
    #expect(GuestPath(text).isRoot)
  }

  @Test func `a path is one word for a shell, and never an option`() {
    #expect(GuestPath("-x 'y'").word == #"'./-x '\''y'\'''"#)
    #expect(GuestPath("~/a b").word == #""$HOME"'/a b'"#)
    #expect(GuestPath("/a").word == "/a")
    #expect(GuestPath("a/b").parent.word == "./a")
    #expect(GuestPath("/a").parent.text == "/")
    #expect(GuestPath("a").parent.text == ".")
  }

  @Test func `a target on this host is a folder, or a name in one`() throws {
    let folder = try TemporaryFolder()
    let top = folder.path
    guard case .into(top) = try HostPlace(top) else {
      Issue.record("a folder is no name")
      return
    }
    guard case .new("x", isFolder: true, in: top) = try HostPlace("\(top)/x/") else {
      Issue.record("what isn't there is a name")
      return
    }
    #expect(throws: CopyError.noHostFolder("\(top)/x")) { try HostPlace("\(top)/x/y") }
    let place = try HostPlace("\(top)/x")
    #expect(place.path(of: Array("a/b".utf8), isContents: false) == Array("x/b".utf8))
    #expect(place.path(of: Array("a/b".utf8), isContents: true) == Array("x/a/b".utf8))
    #expect(place.path(of: [], isContents: true) == Array("x".utf8))
  }

  @Test func `a volume has its host's name in the home unless it says where`() throws {
    let folder = try TemporaryFolder()
    let top = folder.path
    try Files.makeFolder("\(top)/a:b/in")
    try Files.makeFolder("\(top)/p")
    #expect(try Volume("\(top)/p").guest.text == "p")
    #expect(try Volume("\(top)/p/.:rw").guest.text == "p")
    #expect(try Volume("\(top)/p/:/src/./x/:rw").guest.text == "/src/x")
    let colon = try Volume("\(top)/a:b:ro")
    #expect(colon.guest.text == "a:b" && !colon.isWritable)
    #expect(colon.place(of: "\(top)/a:b/in")?.text == "a:b/in")
    #expect(colon.place(of: "\(top)/p") == nil)
    #expect(try Volume("\(top)/p:~").place(of: "\(top)/p")?.text == ".")
    #expect(throws: Volume.Failure.ontoRoot("\(top)/p:/")) { try Volume("\(top)/p:/") }
  }
}
