internal import QMPClient

/// Creates the instance of a ``Launch``: downloads what is missing, then creates the overlay while the
/// supervisor starts.
struct InstanceCreation {
  /// A new instance, and what its first boot needs.
  struct Made {
    let instance: InstanceStore.Locked
    /// Has started, and waits for its launch plan.
    let supervisor: SupervisorProcess.Standby
    let toolchain: QEMUToolchain
    /// What its guest's disk with keys will hold; nil if it gets none.
    let keys: PreparedKeys?
  }

  /// How often to start over if other commands keep removing the base image.
  private static let attempts = 5

  let launch: Launch
  let store: InstanceStore
  let client: ReleaseClient

  /// Creates the instance over its base image, which is downloaded if it is missing.
  ///
  /// - Returns: The instance, locked.
  /// - Throws: What keeps it from being created; `CancellationError`.
  func run() async throws -> Made {
    var lost: String?
    // If every image of this system needs a key, a missing program shows before the download.
    if launch.logsIn {
      _ = try await keys(release: nil)?.contents(isNeeded: true, in: store.cache, with: client)
    }
    for _ in 0..<Self.attempts {
      let prerequisites = try await LaunchPrerequisites.ensure(for: launch.target, with: client)
      do {
        let image = try await prerequisites.baseImage.checked(on: client.loop)
        let loginKeys = keys(release: image.tag)
        let prepared = try await launch.prepare(loginKeys, release: image.tag, with: client)
        // Until the instance names its base image, other commands must not remove the image.
        let lock = try await ImagesLock.shared(at: store.cache.images, on: client.loop)
        defer { lock.release() }
        if Files.information(image.path).map({ FileStamp($0) }) == image.stamp {
          try launch.checkDiskSize(over: image.path)
          let (instance, supervisor) = try await create(
            over: image, loginKeys, prerequisites.imageTools)
          if let notice = launch.growthNotice(of: instance.name, over: image.path) {
            client.notify(notice)
          }
          return Made(
            instance: instance, supervisor: supervisor, toolchain: prerequisites.toolchain,
            keys: prepared)
        }
      } catch ImageError.changed(_, .gone) {}
      lost = prerequisites.baseImage.path
    }
    throw ImageError.changed(path: lost ?? store.cache.images, .gone)
  }

  private func create(
    over baseImage: BaseImage, _ keys: LoginKeys?, _ imageTools: ImageTools
  ) async throws -> (InstanceStore.Locked, SupervisorProcess.Standby) {
    var options = launch.overrides.json
    options["shutdownTimeout"] = .integer(Int64(launch.shutdownTimeout))
    options[LoginKeys.member] = keys?.users.json
    while true {
      let candidate = launch.name ?? InstanceName.random()
      do {
        return try await store.create(
          candidate, launch.target, baseImage: baseImage.path, baseDigest: baseImage.sha256,
          options: options, boot: intention(store.files(candidate))
        ) { new in
          // The supervisor starts while qemu-img makes the disk.
          async let supervisor = try SupervisorProcess.start(
            files: new.files, supervisorLock: new.supervisorLock, vmLock: new.vmLock)
          try await DiskImage.createOverlay(
            at: new.files.disk, over: baseImage.path, size: launch.diskSize,
            qemuImg: imageTools.qemuImg, on: client.loop)
          return try await supervisor
        }
      } catch let error as FileError where error.cause.isOccupied {
        // A random name is drawn again. A name that the user gave is taken now.
        if launch.name == nil { continue }
        throw store.taken(candidate, doing: "run")
      }
    }
  }

  private func keys(release: String?) -> LoginKeys? {
    LoginKeys(for: launch.target, release: release, users: launch.sshKeys)
  }

  /// The record by which `--rm` is carried out even if this process is killed before the supervisor
  /// has its plan; nil without `--rm`.
  private func intention(_ files: InstanceFiles) -> BootRecord? {
    guard launch.removeOnShutdown else { return nil }
    return .beginning(
      files, runtimeFolder: nil, removeOnShutdown: true,
      shutdownTimeout: launch.shutdownTimeout, isFirst: true)
  }
}
