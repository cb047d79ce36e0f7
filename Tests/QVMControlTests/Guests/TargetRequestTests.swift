import QVMControl
import Testing

@Suite struct TargetRequestTests {
  private func request(
    _ word: String, _ version: String? = nil, platform: String? = nil
  ) throws(TargetError) -> TargetRequest {
    try TargetRequest(word, version: version, platform: platform, host: .x86_64)
  }

  private static let whole: [(word: String, version: String?, image: String)] = [
    ("freebsd", "14.2", "freebsd-14.2-x86-64"), ("freebsd:14.2", nil, "freebsd-14.2-x86-64"),
    ("OpenBSD:7.9/arm64", nil, "openbsd-7.9-arm64"),
    ("openbsd/aarch64", "7.9", "openbsd-7.9-arm64"),
    ("haiku:r1beta5", nil, "haiku-r1beta5-x86-64"), ("omnios", "r151056", "omnios-r151056-x86-64"),
    ("demo", nil, "demo-1-x86-64"), ("demo", "latest", "demo-1-x86-64"),
  ]

  @Test(arguments: whole)
  func `a whole version is taken as it is`(word: String, version: String?, image: String) throws {
    #expect(try request(word, version).target?.imageName == image)
  }

  private static let parts: [(word: String, version: String?, expected: TargetRequest.Version)] = [
    ("freebsd", nil, .newest), ("freebsd", "latest", .newest),
    ("freebsd:latest", nil, .newest), ("freebsd:14", nil, .part("14")),
    ("netbsd", "10", .part("10")),
    ("haiku", "r1", .part("r1")), ("omnios", "r", .part("r")), ("freebsd/arm64", nil, .newest),
  ]

  @Test(arguments: parts)
  func `a part of a version leaves the choice open`(
    word: String, version: String?, expected: TargetRequest.Version
  ) throws {
    let request = try request(word, version)
    #expect(request.version == expected)
    #expect(request.target == nil)
    #expect(request.architecture == (word.contains("arm64") ? .arm64 : .x86_64))
  }

  private static let newest: [(word: String, version: String?, there: [String], newest: String?)] =
    [
      ("freebsd", "14", ["14.9", "14.10", "15.0", "1.4"], "14.10"),
      ("freebsd", "1", ["14.9", "15.0"], nil), ("freebsd", nil, ["9.3", "14.9", "15.1"], "15.1"),
      ("freebsd", nil, ["15.0-RC1", "14.4"], "14.4"), ("freebsd", "15", ["15.0-RC1"], "15.0-RC1"),
      ("haiku", nil, ["r1beta4", "r1beta5"], "r1beta5"), ("haiku", "r1", ["r1", "r1beta5"], "r1"),
      ("omnios", nil, ["r151056", "r151058"], "r151058"), ("freebsd", nil, [], nil),
      ("freebsd", "14", ["14", "14.1"], "14"),
    ]

  @Test(arguments: newest)
  func `the newest by its numbers is chosen`(
    word: String, version: String?, there: [String], newest: String?
  ) throws {
    #expect(try request(word, version).newest(of: there) == newest)
  }

  private static let refused: [(word: String, version: String?, error: TargetError)] = [
    ("freebsd:14", "13", .givenTwice("version", "14", "13")),
    ("freebsd/14.2", nil, .versionBehindSlash(.freebsd, "14.2")),
    ("freebsd:", nil, .badVersion("")), ("freebsd", "", .badVersion("")),
    ("freebsd:14/x", nil, .unknownPlatform("x")), ("freebsd:14/", nil, .unknownPlatform("")),
    ("linux:5", nil, .unknownOperatingSystem("linux:5")),
    ("14.2", "freebsd", .swapped(.freebsd, version: "14.2")),
    ("haiku/arm64", nil, .platformNotAvailable(.haiku, .arm64)),
    ("demo", "2", .noSuchDemo(version: "2")),
    ("freebsd 14", nil, .unknownOperatingSystem("freebsd 14")),
  ]

  @Test(arguments: refused)
  func `what is no target is refused`(word: String, version: String?, error: TargetError) {
    #expect(throws: error) { try request(word, version) }
  }

  @Test func `an instance is meant by a part of its version`() throws {
    let target = try Target(
      operatingSystem: "freebsd", version: "14.2", platform: "arm64", host: .x86_64)
    for word in ["freebsd", "freebsd:14", "freebsd:14.2", "freebsd/arm64"] {
      #expect(try request(word).fits(target), "\(word)")
    }
    for word in ["freebsd:13", "freebsd:14.20", "freebsd/x86-64", "openbsd"] {
      #expect(try !request(word).fits(target), "\(word)")
    }
  }
}
