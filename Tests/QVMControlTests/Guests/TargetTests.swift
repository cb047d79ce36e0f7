import QVMControl
import Testing

@Suite struct TargetTests {
  private func target(
    _ word: String, _ version: String, platform: String? = nil, host: Architecture = .x86_64
  ) throws(TargetError) -> Target {
    try Target(operatingSystem: word, version: version, platform: platform, host: host)
  }

  @Test func `the base image is named after the target`() throws {
    let target = try target("FreeBSD", "14.2", platform: "aarch64")

    #expect(target.operatingSystem == .freebsd)
    #expect(target.imageName == "freebsd-14.2-arm64")
    #expect(try self.target("haiku", "r1beta5").imageName == "haiku-r1beta5-x86-64")
  }

  @Test(arguments: [
    ("arm64", Architecture.arm64), ("aarch64", .arm64), ("ARM64", .arm64), ("x86-64", .x86_64),
    ("x86_64", .x86_64), ("amd64", .x86_64), ("x64", .x86_64), ("AMD64", .x86_64),
  ])
  func `an architecture has several spellings`(word: String, architecture: Architecture) throws {
    #expect(try target("openbsd", "7.9", platform: word).architecture == architecture)
  }

  @Test(arguments: [
    ("freebsd", Architecture.arm64, Architecture.arm64), ("freebsd", .x86_64, .x86_64),
    ("haiku", .arm64, .x86_64), ("omnios", .arm64, .x86_64), ("omnios", .x86_64, .x86_64),
  ])
  func `without a platform it is the host's, or the only one there is`(
    word: String, host: Architecture, expected: Architecture
  ) throws {
    #expect(try target(word, "1", host: host).architecture == expected)
  }

  @Test(arguments: [
    "1", "14.2", "r1beta5", "r151056", "13.2-RELEASE", "a", "9.", "1-.2",
    String(repeating: "a", count: 32),
  ])
  func `a version of letters, digits, dots and dashes is taken`(version: String) throws {
    #expect(try target("netbsd", version).version == version)
  }

  @Test(arguments: [
    "", ".", "..", "-1", ".1", "1..2", "../..", "1/2", "1;2", "a b", "%2e", "{a,b}", "[1-3]", "?x#",
    "1\n",
    "1\u{0}", "é", "1é", "1_2", "１", String(repeating: "a", count: 33), "1\u{301}",
  ])
  func `another version never gets into a file name or URL`(version: String) {
    #expect(throws: TargetError.badVersion(version)) { try target("netbsd", version) }
  }

  @Test(arguments: ["", "linux", "free bsd", "freebsd ", "../freebsd", "freebsd\u{301}"])
  func `an unknown operating system is named`(word: String) {
    #expect(throws: TargetError.unknownOperatingSystem(word)) { try target(word, "1") }
  }

  @Test func `swapped words are told from an unknown system`() {
    let swapped = TargetError.swapped(.freebsd, version: "14.2")
    #expect(throws: swapped) { try target("14.2", "FreeBSD") }
    #expect(swapped.advice == "The operating system comes first: 'freebsd 14.2'.")
  }

  @Test(arguments: ["", "arm", "riscv64", "x86", "i386", "arm64 "])
  func `an unknown platform is named`(word: String) {
    #expect(throws: TargetError.unknownPlatform(word)) {
      try target("freebsd", "14.2", platform: word)
    }
  }

  @Test(arguments: [OperatingSystem.haiku, .omnios, .demo])
  func `a platform that the operating system lacks is refused`(
    operatingSystem: OperatingSystem
  ) throws {
    #expect(throws: TargetError.platformNotAvailable(operatingSystem, .arm64)) {
      try target(operatingSystem.rawValue, "1", platform: "arm64")
    }
  }

  @Test func `the demo guest has one version`() throws {
    #expect(try target("demo", "1").imageName == "demo-1-x86-64")
    #expect(throws: TargetError.noSuchDemo(version: "2")) { try target("demo", "2") }
  }

  @Test(arguments: [
    (
      TargetError.unknownOperatingSystem("x"), "unknown operating system 'x'",
      "Use one of freebsd, netbsd, openbsd, haiku, omnios, demo."
    ),
    (.unknownPlatform("x"), "unknown platform 'x'", "Use one of arm64, x86-64."),
    (
      .platformNotAvailable(.haiku, .arm64), "Haiku does not run on arm64",
      "Use --platform x86-64."
    ),
    (.noSuchDemo(version: "2"), "the demo guest has no version '2'", "Use 'demo 1'."),
  ])
  func `a failure says what there is instead`(
    failure: TargetError, message: String, advice: String
  ) {
    #expect(failure.message == message)
    #expect(failure.advice == advice)
    #expect(failure.exitStatus == .usage)
  }

  @Test func `every operating system has a driver and a way to be ready`() {
    for operatingSystem in OperatingSystem.allCases {
      #expect(!operatingSystem.architectures.isEmpty)
      #expect((operatingSystem.readiness == .ssh) == (operatingSystem.sshUser != nil))
      #expect((operatingSystem == .demo) == (operatingSystem.builderRepository == nil))
    }
    #expect(OperatingSystem.freebsd.builderRepository == "freebsd-builder")
    #expect(OperatingSystem.haiku.sshUser == "user")
    #expect(OperatingSystem.demo.readiness == .console("ready"))
  }

  @Test func `only FreeBSD on arm64 ignores the power button`() {
    let deaf = Driver.all.filter { !$0.operatingSystem.obeysPowerButton(on: $0.architecture) }

    #expect(deaf.map(\.description) == ["freebsd-arm64"])
  }
}
