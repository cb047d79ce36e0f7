/// Checks by their first bytes whether files are programs for this host.
enum ProgramFile {
  /// Why this host can't run a program, as the end of a sentence; nil if it can.
  static func problem(_ path: String) throws -> String? {
    let head = try Files.head(of: path, count: 20)
    return problem(head, system: Host.system, architecture: Host.architecture)
  }

  static func looksLikeProgram(_ path: String) throws -> Bool {
    let head = try Files.head(of: path, count: 20)
    return head.starts(with: elf) || isMachO(head) || head.starts(with: fat)
  }

  static func problem(_ head: [UInt8], system: String, architecture: Architecture) -> String? {
    guard head.count == 20 else { return "is not a program but \(FileKind.description(of: head))" }
    if system == "macos" {
      if head.starts(with: fat) { return nil }
      guard isMachO(head) else { return "is not a program for macOS" }
      // Apple silicon runs programs for x86-64 too.
      let cpu = number(head[4..<8])
      return cpu == 0x0100_0007 || cpu == 0x0100_000C && architecture == .arm64
        ? nil : "is a program for another kind of Mac"
    }
    guard head.starts(with: elf) else {
      return "is not a program for Linux but \(FileKind.description(of: head))"
    }
    let machine: Int
    switch architecture {
    case .x86_64: machine = 62
    case .arm64: machine = 183
    }
    // ELF: 64-bit, little-endian, and the machine at offset 18.
    guard head[4] == 2, head[5] == 1, number(head[18..<20]) == machine else {
      return "is a program for another architecture than \(architecture.rawValue)"
    }
    return nil
  }

  private static let elf: [UInt8] = [0x7F, 0x45, 0x4C, 0x46]
  /// A Mach-O file for several architectures.
  private static let fat: [UInt8] = [0xCA, 0xFE, 0xBA, 0xBE]

  private static func isMachO(_ head: [UInt8]) -> Bool {
    head.starts(with: [0xCF, 0xFA, 0xED, 0xFE])
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
