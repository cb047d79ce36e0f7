import QVMControl
import Testing

@Suite struct RunOptionValidationTests {
  @Test(arguments: [
    ("1", "1M"), ("512", "512M"), ("256M", "256M"), ("256m", "256M"), ("6G", "6G"), ("6g", "6G"),
    ("1T", "1T"), ("1024G", "1024G"), ("1048576", "1048576M"), ("007M", "7M"),
    ("4GB", "4G"), ("4GiB", "4G"), ("4gb", "4G"), ("4096MB", "4096M"), ("1TiB", "1T"),
  ])
  func `a memory size is written as QEMU reads it`(word: String, size: String) throws {
    #expect(try RunOptionValidation.memory(word) == size)
  }

  @Test(arguments: [
    "", "0", "0G", "-1", "+1", "G", "1.5G", "1 G", " 1G", "1B", "1iB", "GiB", "1GBB", "1GiiB", "1K",
    "1KB", "6٣", "٦G", "1025G",
    "2T",
    "1048577", "99999999999999999999", "0x10", "1,maxmem=2G", "1é",
  ])
  func `a word that is no memory size is refused`(word: String) {
    #expect(throws: RunOptionError.badMemory(word)) { try RunOptionValidation.memory(word) }
  }

  @Test func `a guest gets no less memory than it can boot with`() throws {
    #expect(try RunOptionValidation.memory("16M", for: .demo) == "16M")
    #expect(try RunOptionValidation.memory("1G", for: .omnios) == "1G")
    #expect(
      throws: RunOptionError.tooLittleMemory("4", mebibytes: 4, least: 16, guest: "Demo")
    ) { try RunOptionValidation.memory("4", for: .demo) }
    for system in OperatingSystem.allCases {
      #expect(throws: RunOptionError.self) {
        try RunOptionValidation.memory("\(system.leastMemory - 1)M", for: system)
      }
    }
  }

  @Test(arguments: [1, 2, 255])
  func `as many CPUs as QEMU can give are taken`(count: Int) throws {
    #expect(try RunOptionValidation.cpus(count) == count)
  }

  @Test(arguments: [0, -1, 256, Int.max, Int.min])
  func `another number of CPUs is refused`(count: Int) {
    #expect(throws: RunOptionError.badCPUCount(count)) { try RunOptionValidation.cpus(count) }
  }

  @Test(arguments: ["max", "host", "max,-pdpe1gb", "Skylake-Client-v4", "qemu64,+ssse3"])
  func `a CPU model is taken as it is`(word: String) throws {
    #expect(try RunOptionValidation.cpuModel(word) == word)
  }

  @Test(arguments: ["", "-x", ",x", "a b", "a\n", "help", "?", "é"])
  func `a word that is no CPU model is refused`(word: String) {
    #expect(throws: RunOptionError.badCPUModel(word)) { try RunOptionValidation.cpuModel(word) }
  }

  @Test(arguments: [
    ("tcg", ["tcg"]), ("kvm:tcg", ["kvm", "tcg"]), ("kvm,tcg", ["kvm", "tcg"]),
    ("HVF:kvm:tcg", ["hvf", "kvm", "tcg"]), ("tcg:tcg", ["tcg"]),
  ])
  func `accelerators keep their order`(list: String, names: [String]) throws {
    #expect(try RunOptionValidation.accelerators(list) == names)
  }

  @Test(arguments: [
    ("", ""), ("kvm:", ""), ("kvm::tcg", ""), ("xen", "xen"), ("kvm tcg", "kvm tcg"),
  ])
  func `an unknown accelerator is named`(list: String, word: String) {
    #expect(throws: RunOptionError.badAccelerator(word)) {
      try RunOptionValidation.accelerators(list)
    }
  }

  @Test func `an accelerator of other hosts is refused only if no other may be tried`() throws {
    for list in ["kvm", "tcg", "hvf:kvm", "hvf:tcg"] {
      try RunOptionValidation.check(list, available: ["kvm", "tcg"])
    }
    let hvf = RunOptionError.foreignAccelerator("hvf", here: ["kvm", "tcg"])
    #expect(throws: hvf) { try RunOptionValidation.check("hvf", available: ["kvm", "tcg"]) }
    #expect(hvf.message == "the accelerator 'hvf' exists only on macOS")
    #expect(
      hvf.advice == "Use kvm or tcg here, or kvm:tcg for the first that works.")
    let kvm = RunOptionError.foreignAccelerator("kvm", here: ["hvf", "tcg"])
    #expect(throws: kvm) { try RunOptionValidation.check("KVM", available: ["hvf", "tcg"]) }
    #expect(kvm.message == "the accelerator 'kvm' exists only on Linux")
  }

  @Test(arguments: [1, 22, 65535])
  func `a TCP port is taken`(port: Int) throws {
    #expect(try RunOptionValidation.port(port) == port)
  }

  @Test(arguments: [0, -1, 65536])
  func `a number that is no TCP port is refused`(port: Int) {
    #expect(throws: RunOptionError.badPort(port)) { try RunOptionValidation.port(port) }
  }

  @Test(arguments: ["127.0.0.1", "0.0.0.0", "255.255.255.255", "192.168.178.10"])
  func `an IPv4 address is taken`(word: String) throws {
    #expect(try RunOptionValidation.address(word) == word)
  }

  @Test(arguments: [
    "", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.", ".1.2.3", "01.2.3.4", "::1",
    "1.2.3.-4",
    "1.2.3.4 ", "1.2.3.4,x", "+1.2.3.4", "1.2.3.٤",
  ])
  func `a word that is no IPv4 address is refused`(word: String) {
    #expect(throws: RunOptionError.badAddress(word)) { try RunOptionValidation.address(word) }
  }

  @Test func `a timeout is whole seconds up to a year`() throws {
    #expect(try RunOptionValidation.timeout(0) == .zero)
    #expect(try RunOptionValidation.timeout(120) == .seconds(120))
    #expect(throws: RunOptionError.badTimeout(-1)) { try RunOptionValidation.timeout(-1) }
    #expect(throws: RunOptionError.badTimeout(Int.max)) { try RunOptionValidation.timeout(.max) }
  }

  @Test func `every failure is one of usage`() {
    let failure: any UserFacingError = RunOptionError.badPort(0)

    #expect(failure.exitStatus == .usage)
    #expect(failure.message == "0 is not a TCP port")
    #expect(failure.advice == "Use a number from 1 to 65535.")
  }
}
