package import Foundation

/// QEMUs that are not what they seem.
extension Sandbox {
  /// Makes a folder for `QVM_QEMU` whose QEMU is a shell script, and which otherwise is the
  /// system's; in the script `REAL` is the system's QEMU.
  package mutating func useQEMU(script: String) async throws {
    let program = try prepareToolchain()
    // Written by a child: a program that somebody has open for writing can't be run, and children of
    // other tests may share this process's descriptors for a moment.
    let text = "#!/bin/sh\nREAL='\(try Tool.qemuX86.url.path)'\n\(script)\n"
    _ = try await run(
      URL(filePath: "/bin/sh"),
      ["-c", "printf %s \"$1\" >\"$2\" && chmod 755 \"$2\"", "sh", text, program.path])
  }

  /// Makes the folder but for QEMU itself, whose path it returns.
  private mutating func prepareToolchain() throws -> URL {
    let folder = folder.appending(path: "qemu")
    let bin = folder.appending(path: "bin")
    let share = folder.appending(path: "share/qemu")
    for place in [bin, share] {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    }
    try FileManager.default.createSymbolicLink(
      atPath: share.appending(path: "bios-256k.bin").path,
      withDestinationPath: "/usr/share/seabios/bios-256k.bin")
    try FileManager.default.createSymbolicLink(
      atPath: bin.appending(path: "qemu-img").path,
      withDestinationPath: try Tool.qemuImg.url.path)
    environment["QVM_QEMU"] = folder.path
    return bin.appending(path: "qemu-system-x86_64")
  }

  /// Has commands run a program in QEMU's place that misbehaves as the variable `FAULT` says.
  package mutating func useFakeQEMU(fault: String = "") throws {
    try FileManager.default.createSymbolicLink(
      at: try prepareToolchain(), withDestinationURL: Self.fakeQEMU)
    environment["FAULT"] = fault
  }

  /// The program; `Tests/TestSupport/fake_qemu.py` lists its faults.
  package static var fakeQEMU: URL {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "fake_qemu.py")
  }
}
