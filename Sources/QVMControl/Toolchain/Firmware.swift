internal import QMPClient

/// A firmware file under the name that the drivers use, in `share/qemu`.
enum Firmware: String, CaseIterable, Sendable {
  case bios = "bios-256k.bin"
  case uefi = "uefi.fd"
  /// UEFI with a table that OpenBSD's arm64 kernel needs. It is no longer built.
  case linaro = "linaro_uefi.fd"

  /// The files that a target's driver names.
  static func needed(by target: Target) throws(TargetError) -> [Firmware] {
    let words = try Driver.find(target).command(DriverPaths(cache: "/", image: "/"))
    // As a whole argument, or as an item of `-drive`.
    let items = words.filter { $0.utf8.contains(UInt8(ascii: "/")) }
      .flatMap { $0.split(separator: ",") }
    return allCases.filter { firmware in
      let name = "/share/qemu/\(firmware.rawValue)"
      return items.contains { $0.hasSuffix(name) }
    }
  }

  func path(in root: String) -> String { "\(root)/share/qemu/\(rawValue)" }

  /// What is wrong with a file, as the end of a sentence; nil if it is plausible.
  ///
  /// Nothing else would notice a downloaded web page: QEMU accepts it as `-bios` for arm64, and the
  /// guest never starts.
  func problem(_ path: String, for architecture: Architecture) -> String? {
    guard let resolved = Files.resolved(path), let found = Files.information(resolved),
      found.kind == .file
    else { return "is missing" }
    guard let head = try? Files.head(of: resolved, count: 1 << 16) else { return "is unreadable" }
    switch self {
    case .bios:
      // The CPU starts with the code at its end, so the size is fixed.
      return found.size == 256 << 10 ? nil : Self.otherwise(head, "has \(found.size) bytes")
    case .uefi, .linaro:
      // Every build of EDK II has a firmware volume in its first pages. The volume's header has
      // this signature. (UEFI Platform Initialization, volume 3, 3.2.1.)
      guard head.count == 1 << 16, Self.hasFirmwareVolume(head) else {
        return Self.otherwise(head, "is not UEFI firmware")
      }
      // On x86-64 it is mapped as flash, which consists of whole blocks.
      let isWhole = architecture == .arm64 || found.size % 4096 == 0
      return isWhole ? nil : "has \(found.size) bytes, which is not a multiple of 4096"
    }
  }

  /// Why a guest starts slowly with this firmware and a QEMU, as the end of a sentence; nil if it isn't
  /// slow, or unknown.
  func slowness(_ path: String, with version: QEMUVersion) -> String? {
    self == .bios ? SeaBIOS.slowness(path, with: version) : nil
  }

  private static func otherwise(_ head: [UInt8], _ problem: String) -> String {
    let kind = FileKind.description(of: head)
    return kind == "something else" ? problem : "is \(kind)"
  }

  private static func hasFirmwareVolume(_ head: [UInt8]) -> Bool {
    let signature = Array("_FVH".utf8)
    return head.indices.dropLast(3).contains { head[$0..<$0 + 4].elementsEqual(signature) }
  }
}
