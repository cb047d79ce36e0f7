package struct QEMUToolchain: Sendable {
  package let program: String
  package let root: String
  package let target: String
  static func planned(for target: Target, in cache: Cache) throws -> QEMUToolchain {
    let t = target.architecture.qemuTarget
    return QEMUToolchain(program: "/usr/bin/qemu-system-\(t)", root: "/tmp/fw/\(t)", target: t)
  }
  func adapted(_ a: QEMUArguments, for target: Target) -> QEMUArguments { a }
}
extension Launch {
  package static func provide(_ target: Target) -> Provisions {
    Provisions(
      toolchain: try! QEMUToolchain.planned(for: target, in: Cache(path: "/tmp")),
      baseImage: Files.exists(
        (try! Cache.fromEnvironment()).images + "/v0.0.0/\(target.imageName).qcow2")
        ? (try! Cache.fromEnvironment()).images + "/v0.0.0/\(target.imageName).qcow2"
        : "/tmp/fw/\(target.imageName).qcow2", qemuImg: "/usr/bin/qemu-img")
  }
}
