/// Checks of the values that go into QEMU's command line.
///
/// QEMU would refuse most bad values too, but only after the downloads and with its own messages.
package enum RunOptionValidation {
  static let mostCPUs = 255
  static let accelerators = ["hvf", "kvm", "tcg"]
  /// A year, in seconds. A larger value is a typing error, and a much larger one would overflow a
  /// deadline.
  static let longestTimeout = 31_536_000
  /// 1 TiB, in MiB: the limit of the 40-bit physical addresses of QEMU's emulated CPUs.
  private static let mostMebibytes = 1 << 20

  /// A number of virtual CPUs, from 1 to 255.
  package static func cpus(_ count: Int) throws(RunOptionError) -> Int {
    guard 1...mostCPUs ~= count else { throw .badCPUCount(count) }
    return count
  }

  /// Reads a memory size and returns it in QEMU's syntax, such as `512M`. The size is a whole
  /// number and a unit: M, G or T, in upper or lower case, optionally followed by `B` or `iB`. All
  /// units are powers of 1024. Without a unit it is MiB.
  package static func memory(_ word: String) throws(RunOptionError) -> String {
    guard let (number, unit, _) = size(word, atMost: mostMebibytes) else { throw .badMemory(word) }
    return "\(number)\(unit)"
  }

  /// Reads a memory size that must be enough for a guest to boot.
  ///
  /// - Throws: `badMemory`; `tooLittleMemory`, mostly because of a wrong unit.
  package static func memory(
    _ word: String, for system: OperatingSystem
  ) throws(RunOptionError) -> String {
    guard let (number, unit, scale) = size(word, atMost: mostMebibytes) else {
      throw .badMemory(word)
    }
    guard number * scale >= system.leastMemory else {
      throw .tooLittleMemory(
        word, mebibytes: number * scale, least: system.leastMemory, guest: system.displayName)
    }
    return "\(number)\(unit)"
  }

  /// Reads a memory size as a number of bytes.
  static func memoryBytes(_ word: String) throws(RunOptionError) -> Int {
    guard let (number, _, scale) = size(word, atMost: mostMebibytes) else { throw .badMemory(word) }
    return number * scale << 20
  }

  /// Reads a disk's size: a whole number and a unit, as for memory, but not without a unit.
  ///
  /// - Returns: The size in qemu-img's syntax, such as `30G`, and in bytes.
  package static func diskSize(
    _ word: String
  ) throws(RunOptionError) -> (text: String, bytes: Int) {
    guard word.last?.isNumber == false, let (number, unit, scale) = size(word, atMost: 1 << 24)
    else { throw .badDiskSize(word) }
    return ("\(number)\(unit)", number * scale << 20)
  }

  /// Reads a size.
  ///
  /// - Parameters:
  ///   - word: The size, as typed.
  ///   - most: The largest one, in MiB.
  /// - Returns: The number, QEMU's unit, and the unit in MiB; nil if the word is no size, or a larger one.
  private static func size(
    _ word: String, atMost most: Int
  ) -> (number: Int, unit: String, scale: Int)? {
    let small = word.lowercased()
    var size = small[...]
    // Remove `B` or `iB` only after a unit: `4B` would be four bytes.
    for ending in ["ib", "b"] where size.hasSuffix(ending) {
      let rest = size.dropLast(ending.count)
      if let last = rest.last, "mgt".contains(last) { size = rest }
      break
    }
    let (unit, scale) =
      switch size.last {
      case "g": ("G", 1 << 10)
      case "t": ("T", 1 << 20)
      default: ("M", 1)
      }
    if let last = size.last, "mgt".contains(last) { size.removeLast() }
    guard let number = decimal(size), 1...(most / scale) ~= number else { return nil }
    return (number, unit, scale)
  }

  /// Checks a CPU model, optionally with features: `max,-pdpe1gb`.
  package static func cpuModel(_ word: String) throws(RunOptionError) -> String {
    let isPrintable = word.utf8.allSatisfy { UInt8(ascii: "!")...UInt8(ascii: "~") ~= $0 }
    guard let first = word.first, first != "-", first != ",", first != "?", isPrintable,
      word != "help"
    else { throw .badCPUModel(word) }
    return word
  }

  /// Reads accelerators in order of preference, separated by colons, as in QEMU, or by commas.
  package static func accelerators(_ list: String) throws(RunOptionError) -> [String] {
    let separators: [Character] = [":", ","]
    var names: [String] = []
    for word in list.split(omittingEmptySubsequences: false, whereSeparator: separators.contains) {
      let name = word.lowercased()
      guard accelerators.contains(name) else { throw .badAccelerator(String(word)) }
      if !names.contains(name) { names.append(name) }
    }
    return names
  }

  /// A TCP port, from 1 to 65535.
  package static func port(_ number: Int) throws(RunOptionError) -> Int {
    guard 1...65535 ~= number else { throw .badPort(number) }
    return number
  }

  /// Checks an IPv4 address of four decimal numbers. A number with a leading zero is refused,
  /// because the C library that QEMU uses would read it as octal.
  package static func address(_ word: String) throws(RunOptionError) -> String {
    let parts = word.split(separator: ".", omittingEmptySubsequences: false)
    let isAddress =
      parts.count == 4
      && parts.allSatisfy { part in
        decimal(part).map { $0 <= 255 && String($0) == part } ?? false
      }
    guard isAddress else { throw .badAddress(word) }
    return word
  }

  /// Checks a timeout in whole seconds; 0 means not to wait at all.
  package static func timeout(_ seconds: Int) throws(RunOptionError) -> Duration {
    guard 0...longestTimeout ~= seconds else { throw .badTimeout(seconds) }
    return .seconds(seconds)
  }

  // MARK: - From the environment

  /// The value of `QVM_ACCEL`, valid for ``accelerators(_:)``; nil if it isn't set.
  ///
  /// - Throws: ``RunOptionError`` `inVariable`.
  package static func acceleratorsOfEnvironment() throws(RunOptionError) -> String? {
    try variable("QVM_ACCEL") { value throws(RunOptionError) in _ = try accelerators(value) }
  }

  /// Checks that one of the accelerators to try can be had on this kind of host.
  ///
  /// QEMU would fail without the cause. A list with others is accepted: it works everywhere.
  ///
  /// - Parameter list: The option's value; nil for that of `QVM_ACCEL`.
  /// - Throws: `foreignAccelerator`, for the variable within `inVariable`.
  package static func checkHost(accelerators list: String?) throws(RunOptionError) {
    if let list { return try check(list, available: Host.accelerators) }
    _ = try variable("QVM_ACCEL") { value throws(RunOptionError) in
      try check(value, available: Host.accelerators)
    }
  }

  /// Checks that one of the accelerators in `list` is among those that are `available`.
  ///
  /// - Throws: `foreignAccelerator`; `badAccelerator`.
  package static func check(_ list: String, available: [String]) throws(RunOptionError) {
    let names = try accelerators(list)
    if let name = names.first, !names.contains(where: available.contains) {
      throw .foreignAccelerator(name, here: available)
    }
  }

  /// The value of `QVM_SSH_ADDRESS`; nil if it isn't set.
  ///
  /// - Throws: ``RunOptionError`` `inVariable`.
  package static func addressOfEnvironment() throws(RunOptionError) -> String? {
    try variable("QVM_SSH_ADDRESS") { value throws(RunOptionError) in _ = try address(value) }
  }

  private static func variable(
    _ name: String, check: (String) throws(RunOptionError) -> Void
  ) throws(RunOptionError) -> String? {
    guard let value = Host.environment(name) else { return nil }
    do throws(RunOptionError) { try check(value) } catch { throw .inVariable(name, error) }
    return value
  }

  /// Reads a number of ASCII digits without a sign; nil for anything else and on overflow.
  private static func decimal(_ digits: Substring) -> Int? {
    let areDigits = digits.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    return areDigits ? Int(digits) : nil
  }
}
