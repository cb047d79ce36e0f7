import Foundation
import QVMControl
import TestSupport
import Testing

/// `run --dry-run`: the exact command, and nothing else happens.
@Suite(.timeLimit(.minutes(15))) struct DryRunTests {
  private static let versions = [
    "freebsd": "14.2", "openbsd": "7.6", "netbsd": "10.1", "haiku": "r1beta5", "omnios": "r151052",
  ]

  @Test(arguments: Driver.specified.map(\.description))
  func `the driver's lines come first, as the specification has them, then qvm's own`(
    driver: String
  ) async throws {
    try await Sandbox.with { sandbox in
      sandbox.environment["QVM_ACCEL"] = ""
      let parts = driver.split(separator: "-", maxSplits: 1).map(String.init)
      let version = try #require(Self.versions[parts[0]])
      sandbox.environment["QVM_SSH_ADDRESS"] = ""
      let run = try await sandbox.qvm(
        "run", "--dry-run", "--name", "dry", "--platform", parts[1], parts[0], version)
      #expect(run.status == 0, "\(run.err)")

      let fixture = Sandbox.package.appending(path: "Fixtures/Drivers/\(driver).sh")
      let specified = try String(contentsOf: fixture, encoding: .utf8)
        .split(separator: "\n").dropFirst().map { line in
          line.replacing("\"", with: "").replacing(" \\", with: "")
            .replacing("$VM_IMAGE", with: "\(sandbox.cache.path)/instances/dry/disk.qcow2")
        }
      let lines = run.out.split(separator: "\n").map { $0.replacing(" \\", with: "") }
      #expect(
        lines.first?.hasSuffix("qemu-system-\(parts[1] == "arm64" ? "aarch64" : "x86_64")")
          == true)
      for (line, wanted) in zip(lines.dropFirst(), specified) {
        if let firmware = wanted.range(of: "$QVM_CACHE") {
          // The firmware lies in a folder of its own for each target.
          #expect(line.hasPrefix(wanted[..<firmware.lowerBound]))
          #expect(line.hasSuffix(wanted[firmware.upperBound...]))
        } else {
          #expect(line == wanted)
        }
      }
      // Whether there is Linaro's firmware shows when QEMU is there.
      #expect(run.err.contains("linaro_uefi.fd") == (driver == "openbsd-arm64"), "\(run.err)")
      #expect(lines.count > specified.count + 1)
      #expect(run.err.contains("from line \(specified.count + 2) on"))
      #expect(
        !FileManager.default.fileExists(atPath: sandbox.cache.path), "something was written")
    }
  }

  @Test func `what is installed decides on the firmware of OpenBSD for arm64`() async throws {
    try await Sandbox.with { sandbox in
      let firmware = sandbox.cache.appending(path: "qemu/system-aarch64/share/qemu")
      try FileManager.default.createDirectory(at: firmware, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: firmware.appending(path: "uefi.fd").path,
        withDestinationPath: "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd")
      let words = ["run", "--dry-run", "--platform", "arm64", "openbsd", "7.4"]
      var run = try await sandbox.qvm(words)
      #expect(run.out.contains("acpi=off"))
      #expect(run.out.contains("/share/qemu/uefi.fd"))
      #expect(!run.err.contains("linaro_uefi.fd"))
      try FileManager.default.moveItem(
        at: firmware.appending(path: "uefi.fd"), to: firmware.appending(path: "linaro_uefi.fd"))
      run = try await sandbox.qvm(words)
      #expect(!run.out.contains("acpi=off"))
      #expect(run.out.contains("/share/qemu/linaro_uefi.fd"))
      #expect(!run.err.contains("linaro_uefi.fd"))
    }
  }

  @Test func `the printed command is what a shell runs`() async throws {
    try await Sandbox.with { sandbox in
      sandbox.environment["QVM_CACHE"] = sandbox.folder.appending(path: "a, b'c").path
      let run = try await sandbox.qvm(
        "run", "--dry-run", "--name", "dry", "--memory", "1G", "--cpus", "3", "--ssh-port", "4000",
        "--ssh-address", "127.0.0.1", "--accel", "tcg", "--cpu", "qemu64", "--qemu-arg", "-device",
        "--qemu-arg", "a 'b'", "freebsd", "14.2", "--platform", "x86-64")
      let printed =
        "set -- \(run.out.trimmingCharacters(in: .whitespacesAndNewlines)); printf '%s\\n' \"$@\""
      let shell = try await sandbox.run(URL(filePath: "/bin/sh"), ["-c", printed])
      let words = shell.out.split(separator: "\n").map(String.init)
      func value(_ option: String) -> String? {
        words.firstIndex(of: option).map { words[$0 + 1] }
      }
      #expect(value("-m") == "1G")
      #expect(value("-smp") == "3")
      #expect(value("-cpu") == "qemu64")
      #expect(value("-machine") == "type=q35,accel=tcg")
      #expect(value("-netdev") == "user,id=user.0,hostfwd=tcp:127.0.0.1:4000-:22")
      #expect(words.contains("a 'b'"))
      #expect(value("-bios")?.contains("a, b'c/") == true, "a comma is doubled in -bios")
      #expect(value("-drive")?.contains("a,, b'c/") == true, "a comma is single in -drive")
    }
  }
}
