import Foundation
import QVMControl
import TestSupport

/// Releases with the layout of the real ones, out of what this machine has: QEMU and its firmware in
/// tarballs for each target, and a test guest as the image of each system.
enum PublishedReleases {
  /// The images: repository, tag, name, and the guest in it.
  private static let images: [(repository: String, tag: String, name: String, guest: Guest)] = [
    ("freebsd-builder", "v0.15.0", "freebsd-14.2-x86-64", .demo),
    ("freebsd-builder", "v0.15.0", "freebsd-14.2-arm64", .uefiArm64),
    ("openbsd-builder", "v0.14.0", "openbsd-7.6-x86-64", .uefiX86),
    ("openbsd-builder", "v0.14.0", "openbsd-7.6-arm64", .uefiArm64),
    // The newest NetBSD release has bundles, and no qcow2 any more.
    ("netbsd-builder", "v0.7.0", "netbsd-10.1-x86-64", .demo),
    ("netbsd-builder", "v0.7.0", "netbsd-10.1-arm64", .uefiArm64),
    ("haiku-builder", "v0.1.0", "haiku-r1beta5-x86-64", .demo),
    ("omnios-builder", "v0.2.0", "omnios-r151052-x86-64", .demo),
  ]

  /// A server for all of it; `linaro` says whether the resources have Linaro's firmware, as older
  /// releases did.
  static func serve(in sandbox: Sandbox, linaro: Bool = false) async throws -> ReleaseServer {
    let root = sandbox.folder.appending(path: "releases")
    let server = try ReleaseServer.start(root: root)
    for image in images {
      let folder = root.appending(path: "\(image.repository)/\(image.tag)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let file = folder.appending(path: "\(image.name).qcow2")
      try await run(
        sandbox, try Tool.qemuImg.url,
        ["convert", "-O", "qcow2", try image.guest.image.path, file.path])
      try server.setLatest(image.tag, in: image.repository)
    }
    try await publishBundle(sandbox, root: root)
    try server.setLatest("v1.0.0", in: "netbsd-builder")
    try await publishResources(sandbox, root: root, linaro: linaro)
    try server.setLatest("v2.0.0", in: "resources")
    return server
  }

  /// NetBSD for x86-64 as its newest release has it: a raw disk, made with its holes, and a kernel.
  private static func publishBundle(_ sandbox: Sandbox, root: URL) async throws {
    let release = root.appending(path: "netbsd-builder/v1.0.0")
    try FileManager.default.createDirectory(at: release, withIntermediateDirectories: true)
    let content = sandbox.folder.appending(path: "content-bundle")
    let disk = content.appending(path: "disk.img")
    try copy(try Guest.demo.image.path, to: disk)
    let handle = try FileHandle(forUpdating: disk)
    try handle.truncate(atOffset: 256 << 20)
    try handle.close()
    try Data("a kernel".utf8).write(to: content.appending(path: "kernel"))
    let tar = sandbox.folder.appending(path: "bundle.tar").path
    let env = URL(filePath: "/usr/bin/env")
    try await run(
      sandbox, env, ["tar", "--sparse", "-C", content.path, "-cf", tar, "disk.img", "kernel"])
    let bundle = release.appending(path: "netbsd-10.1-x86-64.tar.zst")
    try await run(sandbox, env, ["zstd", "-q", "--long=27", tar, "-o", bundle.path])
    try FileManager.default.removeItem(at: content)
  }

  private static func publishResources(
    _ sandbox: Sandbox, root: URL, linaro: Bool
  ) async throws {
    let release = root.appending(path: "resources/v2.0.0")
    try FileManager.default.createDirectory(at: release, withIntermediateDirectories: true)
    let firmware = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"
    var arm = [("uefi.fd", firmware), ("efi-virtio.rom", "/usr/lib/ipxe/qemu/efi-virtio.rom")]
    if linaro { arm.append(("linaro_uefi.fd", firmware)) }
    let x86 = [
      ("uefi.fd", "/usr/share/ovmf/OVMF.fd"),
      ("bios-256k.bin", "/usr/share/seabios/bios-256k.bin"),
      ("vgabios-stdvga.bin", "/usr/share/seabios/vgabios-stdvga.bin"),
      ("kvmvapic.bin", "/usr/share/qemu/kvmvapic.bin"),
      ("efi-virtio.rom", "/usr/lib/ipxe/qemu/efi-virtio.rom"),
      ("efi-e1000.rom", "/usr/lib/ipxe/qemu/efi-e1000.rom"),
    ]
    for (target, tool, share) in [("x86_64", Tool.qemuX86, x86), ("aarch64", .qemuArm, arm)] {
      let content = sandbox.folder.appending(path: "content-\(target)")
      try copy(try tool.url.path, to: content.appending(path: "bin/qemu"))
      for (name, source) in share {
        try copy(source, to: content.appending(path: "share/qemu/\(name)"))
      }
      try await pack(
        sandbox, content, into: release.appending(path: "qemu-system-\(target)-linux.tar"))
    }
    let content = sandbox.folder.appending(path: "content-img")
    try copy(try Tool.qemuImg.url.path, to: content.appending(path: "qemu-img"))
    try await pack(sandbox, content, into: release.appending(path: "resources-linux.tar"))
  }

  private static func copy(_ source: String, to destination: URL) throws {
    try FileManager.default.createDirectory(
      at: destination.deletingLastPathComponent(), withIntermediateDirectories: true)
    let real = URL(filePath: source).resolvingSymlinksInPath()
    try FileManager.default.copyItem(at: real, to: destination)
  }

  private static func pack(_ sandbox: Sandbox, _ content: URL, into archive: URL) async throws {
    try await run(
      sandbox, URL(filePath: "/usr/bin/env"),
      ["tar", "-cf", archive.path, "-C", content.path, "."])
    try FileManager.default.removeItem(at: content)
  }

  private static func run(_ sandbox: Sandbox, _ program: URL, _ words: [String]) async throws {
    let result = try await sandbox.run(program, words)
    if result.status != 0 {
      throw Sandbox.Failure("\(program.lastPathComponent): \(result.err)")
    }
  }
}
