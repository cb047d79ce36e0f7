package import Foundation

/// QEMUs that are not what they seem.
extension Sandbox {
  /// Makes a folder for `QVM_QEMU` whose QEMU is a shell script, and which otherwise is the
  /// system's; in the script `REAL` is the system's QEMU.
  package mutating func useQEMU(script: String) async throws {
    let program = try prepareToolchain()
    try await writeProgram("REAL='\(try Tool.qemuX86.url.path)'\n\(script)", to: program)
  }

  /// Writes a program in shell.
  ///
  /// By a process of its own: another test's child that is just starting may hold what this process
  /// has open for writing, and such a file can't be executed.
  package func writeProgram(_ script: String, to file: URL) async throws {
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    let result = try await run(
      URL(filePath: "/bin/sh"),
      ["-c", #"printf '#!/bin/sh\n%s\n' "$1" > "$2" && chmod 755 "$2""#, "sh", script, file.path])
    if result.status != 0 { throw Failure(result.err) }
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

  /// Has commands find a qemu-img that makes a file when it is to make a disk, and then waits until
  /// that is gone.
  ///
  /// - Returns: The file.
  package mutating func holdDisks() async throws -> URL {
    let bin = folder.appending(path: "bin")
    let mark = folder.appending(path: "creating")
    try await writeProgram(
      """
      if [ "$1" = create ]; then
        : > '\(mark.path)'
        while [ -e '\(mark.path)' ]; do sleep 0.02; done
      fi
      exec \(try Tool.qemuImg.url.path) "$@"
      """, to: bin.appending(path: "qemu-img"))
    environment["PATH"] = "\(bin.path):\(environment["PATH"] ?? "")"
    return mark
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
