import Foundation
import QMPClient
import TestSupport
import Testing

/// Where distributions keep the firmware of their QEMUs: it is found there, and works.
@Suite(.timeLimit(.minutes(15))) struct FirmwareLayoutTests {
  /// The paths below `/usr/share` that their packages install, of SeaBIOS and of EDK II.
  struct Layout: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bios: String
    let uefiX86: String
    let uefiArm64: String
    /// What is there too, and is not to be taken: code that needs a flash for variables beside it.
    var others: [String] = []
  }

  static let layouts = [
    Layout(
      testDescription: "Debian", bios: "seabios/bios-256k.bin", uefiX86: "ovmf/OVMF.fd",
      uefiArm64: "qemu-efi-aarch64/QEMU_EFI.fd",
      others: ["OVMF/OVMF_CODE_4M.fd", "OVMF/OVMF_CODE_4M.secboot.fd", "AAVMF/AAVMF_CODE.fd"]),
    Layout(
      testDescription: "Fedora", bios: "seabios/bios-256k.bin", uefiX86: "edk2/ovmf/OVMF_CODE.fd",
      uefiArm64: "edk2/aarch64/QEMU_EFI.fd", others: ["edk2/ovmf/OVMF_CODE.secboot.fd"]),
    Layout(
      testDescription: "Arch", bios: "qemu/bios-256k.bin", uefiX86: "edk2/x64/OVMF.4m.fd",
      uefiArm64: "edk2/aarch64/QEMU_EFI.fd",
      others: ["edk2/x64/OVMF_CODE.4m.fd", "edk2/x64/OVMF_CODE.secboot.4m.fd"]),
    Layout(
      testDescription: "openSUSE", bios: "qemu/bios-256k.bin", uefiX86: "qemu/ovmf-x86_64.bin",
      uefiArm64: "qemu/qemu-uefi-aarch64.bin", others: ["qemu/ovmf-x86_64-code.bin"]),
    // In the folder that QEMU itself names, as in its own tarball.
    Layout(
      testDescription: "Homebrew", bios: "qemu/bios-256k.bin",
      uefiX86: "qemu/edk2-x86_64-code.fd", uefiArm64: "qemu/edk2-aarch64-code.fd"),
  ]

  @Test(arguments: layouts)
  func `firmware is found where the distribution keeps it`(layout: Layout) async throws {
    try await Sandbox.with { sandbox in
      // What QEMU needs besides, and the firmware under names of its own.
      let stash = sandbox.folder.appending(path: "stash").path
      let saved = try await sandbox.run(
        URL(filePath: "/bin/sh"),
        [
          "-ec",
          """
          mkdir -p "$1/share/seabios"
          cp -r /usr/share/qemu "$1/share/qemu"
          cp /usr/share/seabios/vgabios* "$1/share/seabios"
          cp /usr/share/seabios/bios-256k.bin "$1/bios"
          cp /usr/share/ovmf/OVMF.fd "$1/x86"
          cp /usr/share/qemu-efi-aarch64/QEMU_EFI.fd "$1/arm64"
          rm -f "$1"/share/qemu/OVMF.fd
          """, "sh", stash,
        ])
      #expect(saved.status == 0, "\(saved.err)")
      let share = "/usr/share"
      try await SmallDisk.with(sandbox, at: URL(filePath: share), size: "64m") { disk in
        try await disk.shell("cp -r '\(stash)/share/'* \(share)")
        for other in layout.others {
          try await disk.shell("install -D '\(stash)/x86' \(share)/\(other)")
        }
        let chosen = [
          ("bios", layout.bios), ("x86", layout.uefiX86), ("arm64", layout.uefiArm64),
        ]
        for (kind, place) in chosen {
          try await disk.shell("install -D '\(stash)/\(kind)' \(share)/\(place)")
        }
        let doctor = try await disk.qvm("doctor", "--json")
        let checks = doctor.json["checks"]?.array ?? []
        let names = ["bios-256k.bin for x86-64", "uefi.fd for x86-64", "uefi.fd for arm64"].map {
          "\($0), system"
        }
        for (name, (_, place)) in zip(names, chosen) {
          let check = checks.first { $0["name"]?.string == name }
          #expect(check?["detail"]?.string == "\(share)/\(place)", "\(name)")
          #expect(check?["state"]?.string == "ok", "\(name)")
        }
        let tcg = doctor.json["accelerators"]?.array?.first {
          $0["accelerator"]?.string == "tcg"
        }
        #expect(tcg?["works"]?.bool == true, "\(tcg ?? .null)")
      }
    }
  }
}
