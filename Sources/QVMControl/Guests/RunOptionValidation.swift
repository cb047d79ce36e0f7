/// The checks that a value passes before it reaches QEMU's command line.
///
/// QEMU would refuse most of the same values itself, but in its own words and after the downloads.
package enum RunOptionValidation {
  static let mostCPUs = 255
  static let accelerators = ["hvf", "kvm", "tcg"]
  /// A year, in seconds: more is a slip of the keyboard, and far more would overflow a deadline.
  static let longestTimeout = 31_536_000
  /// 1 TiB, in MiB: what the 40-bit physical addresses of QEMU's emulated CPUs can reach.
  private static let mostMebibytes = 1 << 20

  /// A number of virtual CPUs, from 1 to 255.
  package static func cpus(_ count: Int) throws(RunOptionError) -> Int {
    guard 1...mostCPUs ~= count else { throw .badCPUCount(count) }
    return count
  }

  /// An amount of memory as QEMU writes it, `512M`, from a whole number and a unit: M, G or T, which
  /// may be followed by `B` or `iB` and are powers of 1024 in any case, in upper or lower case; MiB
  /// without one.
  package static func memory(_ word: String) throws(RunOptionError) -> String {
    let (number, unit, _) = try memorySize(word)
    return "\(number)\(unit)"
  }

  /// The same, where a guest may not have less than it can boot with.
  ///
  /// - Throws: `badMemory`; `tooLittleMemory`, which is nearly always a slip of the unit.
  package static func memory(
    _ word: String, for system: OperatingSystem
  ) throws(RunOptionError) -> String {
    let (number, unit, scale) = try memorySize(word)
    guard number * scale >= system.leastMemory else {
      throw .tooLittleMemory(
        word, mebibytes: number * scale, least: system.leastMemory, guest: system.displayName)
    }
    return "\(number)\(unit)"
  }

  /// A number, its unit as QEMU has it, and the MiB in that.
  private static func memorySize(
    _ word: String
  ) throws(RunOptionError) -> (number: Int, unit: String, scale: Int) {
    let small = word.lowercased()
    var size = small[...]
    // Bytes of a unit that is named; `4B` would be four of them.
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
    guard let number = decimal(size), 1...(mostMebibytes / scale) ~= number else {
      throw .badMemory(word)
    }
    return (number, unit, scale)
  }

  /// A CPU model, with features if any: `max,-pdpe1gb`.
  package static func cpuModel(_ word: String) throws(RunOptionError) -> String {
    let isPrintable = word.utf8.allSatisfy { UInt8(ascii: "!")...UInt8(ascii: "~") ~= $0 }
    guard let first = word.first, first != "-", first != ",", first != "?", isPrintable,
      word != "help"
    else { throw .badCPUModel(word) }
    return word
  }

  /// Accelerators in order of preference, from their names with colons between, as QEMU has it, or
  /// commas.
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

  /// An IPv4 address of four decimal numbers. A number with a leading zero is refused: the C
  /// library that QEMU asks would take it for an octal one.
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

  /// A time limit in whole seconds; 0 means not to wait at all.
  package static func timeout(_ seconds: Int) throws(RunOptionError) -> Duration {
    guard 0...longestTimeout ~= seconds else { throw .badTimeout(seconds) }
    return .seconds(seconds)
  }

  // MARK: - From the environment

  /// What `QVM_ACCEL` says, in the form of ``accelerators(_:)``; nil where it isn't set.
  ///
  /// - Throws: ``RunOptionError`` `inVariable`.
  package static func acceleratorsOfEnvironment() throws(RunOptionError) -> String? {
    try variable("QVM_ACCEL") { value throws(RunOptionError) in _ = try accelerators(value) }
  }

  /// What `QVM_SSH_ADDRESS` says; nil where it isn't set.
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

  /// The number that `digits` spell in ASCII, with no sign; nil where they don't, or overflow.
  private static func decimal(_ digits: Substring) -> Int? {
    let areDigits = digits.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    return areDigits ? Int(digits) : nil
  }
}
