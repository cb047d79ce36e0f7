import Foundation
import QMPClient
import TestSupport
import Testing

@testable import QVMControl

@Suite struct AcceleratorTrialTests {
  /// Runs a trial of a QEMU that is a shell script.
  private func result(
    of script: String, _ architecture: Architecture, within limit: Duration
  ) async throws -> (AcceleratorReport.Finding, took: Duration) {
    let folder = FileManager.default.temporaryDirectory.appending(path: "qvm-trial-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let program = folder.appending(path: "qemu").path
    try ReleaseFixture.run(
      "sh",
      [
        "-c", #"printf '#!/bin/sh\n%s\n' "$1" >"$2" && chmod 755 "$2""#, "sh", script, program,
      ])
    let loop = try #require(EventLoop.shared)
    let toolchain = QEMUToolchain(program, root: folder.path, architecture, .folder)
    return try await withTaskExecutorPreference(loop) {
      let begin = SuspendingClock.now
      let result = try await AcceleratorTrial(
        toolchain: toolchain, accelerator: "tcg", folder: folder.path, loop: loop, limit: limit
      ).run()
      return (result, begin.duration(to: .now))
    }
  }

  @Test(arguments: Architecture.allCases)
  func `a QEMU that hangs is ended after its time, and told so`(
    architecture: Architecture
  ) async throws {
    let (result, took) = try await result(
      of: "exec sleep 60", architecture, within: .milliseconds(400))
    guard case .fails(nil, let why, let advice) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(why.first == "QEMU's monitor did not respond within 1 s")
    #expect(advice?.hasPrefix("Reinstall this QEMU") == true)
    #expect(took < .seconds(10))
  }

  @Test(arguments: Architecture.allCases)
  func `a QEMU that exits at once is reported in its own words`(
    architecture: Architecture
  ) async throws {
    let (result, _) = try await result(
      of: "echo 'qemu: no such machine' >&2; exit 1", architecture, within: .seconds(20))
    guard case .fails(nil, let why, _) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(why == ["QEMU exited before the guest ran: exit status 1", "qemu: no such machine"])
  }

  @Test(arguments: [
    ("could not set MSR 0x10a", "kvm", "--cpu qemu64"),
    ("invalid accelerator kvm", "kvm", "built with kvm"),
    ("Could not access KVM kernel module: Permission denied", "kvm", "usermod -aG kvm"),
    ("something", "kvm", "falls back to tcg"), ("something", "hvf", "falls back to tcg"),
    ("invalid accelerator tcg", "tcg", "Reinstall this QEMU"),
  ])
  func `each failure has its advice`(log: String, accelerator: String, says: String) {
    #expect(AcceleratorReport.advice(for: [log], accelerator).contains(says))
  }

  private static func finding(
    _ architecture: Architecture, _ result: AcceleratorReport.Finding
  ) -> AcceleratorReport {
    AcceleratorReport(
      program: "/q", origin: "system", release: nil, architecture: architecture,
      accelerator: "tcg", result: result)
  }

  @Test func `what counts are the QEMUs for this host's guests, if there are any`() throws {
    let host = Host.architecture
    let other = try #require(Architecture.allCases.first { $0 != host })
    let fails = AcceleratorReport.Finding.fails(version: nil, why: [], advice: nil)
    let starts = AcceleratorReport.Finding.starts(version: nil)
    #expect(DoctorReport.verdict([]) == nil)
    #expect(DoctorReport.verdict([Self.finding(host, fails)])?.state == .missing)
    let mixed = [Self.finding(host, fails), Self.finding(other, starts)]
    #expect(DoctorReport.verdict(mixed)?.state == .missing)
    #expect(DoctorReport.verdict([Self.finding(host, fails), Self.finding(host, starts)]) == nil)
    #expect(DoctorReport.verdict([Self.finding(other, starts)]) == nil)
  }
}
