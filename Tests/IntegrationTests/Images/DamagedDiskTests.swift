import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Disks and base images that are damaged are called so, whatever of them it is.
@Suite(.timeLimit(.minutes(15))) struct DamagedDiskTests {
  /// Where in a qcow2 header what is written: all of it keeps QEMU from using the image.
  enum Damage: String, Sendable, CaseIterable {
    case magic, version, backingOffset, backingLength, clusterBits, size, encryption, tableSize
    case largeTable, tableOffset, countsOffset, countsSize, snapshots, corrupt, dataFile, width
    case length

    var bytes: (offset: UInt64, bytes: [UInt8]) {
      switch self {
      case .magic: (0, [0, 0, 0, 0])
      case .version: (4, [0, 0, 0, 9])
      case .backingOffset: (8, [0, 0, 1, 0])
      case .backingLength: (16, [0, 0, 0x13, 0x88])
      case .clusterBits: (20, [0, 0, 0, 40])
      case .size: (24, [0x80])
      case .encryption: (32, [0, 0, 0, 9])
      case .tableSize: (36, [0, 0, 0, 0])
      case .largeTable: (36, [0x40])
      case .tableOffset: (47, [123])
      case .countsOffset: (55, [77])
      case .countsSize: (56, [0x40])
      case .snapshots: (60, [0, 16, 0, 0])
      case .corrupt: (79, [2])
      case .dataFile: (79, [4])
      case .width: (99, [99])
      case .length: (100, [0, 0, 0, 8])
      }
    }

    func apply(to file: String) throws {
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
      let handle = try FileHandle(forUpdating: URL(filePath: file))
      try handle.seek(toOffset: bytes.offset)
      try handle.write(contentsOf: Data(bytes.bytes))
      try handle.close()
    }
  }

  @Test func `a damaged disk is called so, with what to do, and kept`() async throws {
    try await Sandbox.with { sandbox in
      try await sandbox.makeSeed("box")
      let disk = sandbox.disk(of: "box")
      let damaged = StartError.qemuEnded(
        .exited(1), log: [], hint: .damagedDisk(path: disk, name: "box"))
      let whole = try Data(contentsOf: URL(filePath: disk))
      for damage in Damage.allCases {
        try damage.apply(to: disk)
        let start = try await sandbox.qvm("start", "-d", "box")
        #expect(start.status == 1, "\(damage)")
        #expect(start.advises(damaged), "\(damage): \(start.err)")
        #expect(start.err.contains("'qemu-img check -r all \(disk)'"), "\(damage): \(start.err)")
        #expect(!start.err.contains("QVM_QEMU"), "\(damage): \(start.err)")
        #expect(sandbox.exists("box"))
        try whole.write(to: URL(filePath: disk))
      }
      #expect(try await sandbox.qvm("start", "-d", "box").status == 0)
      #expect(try await sandbox.qvm("stop", "--force", "box").status == 0)
    }
  }

  @Test func `a damaged base image is called so, with what to do`() async throws {
    try await Sandbox.with { sandbox in
      // Without a backing file the length of its name is not read.
      let damages = Damage.allCases.filter { $0 != .backingLength }
      for damage in damages {
        try await sandbox.plant(.demo, as: "haiku-\(damage)-x86-64")
        try damage.apply(
          to: sandbox.cache.appending(path: "images/v0.0.0/haiku-\(damage)-x86-64.qcow2").path)
      }
      let verify = try await sandbox.qvm("verify", "--json")
      #expect(verify.status == 1)
      let images = verify.json["images"]?.array ?? []
      #expect(images.count == damages.count)
      for image in images {
        let name = image["name"]?.string ?? "?"
        #expect(image["result"]?.string == "damaged", "\(name): \(image.text)")
        #expect(image["command"]?.string?.hasPrefix("qvm pull --release v0.0.0 ") == true)
      }
      #expect(!verify.err.contains("QVM_QEMU"), "\(verify.err)")
    }
  }
}
