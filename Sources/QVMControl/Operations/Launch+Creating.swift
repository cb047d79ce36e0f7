internal import QMPClient

extension Launch {
  /// How often to begin anew where others keep removing the base image.
  private static let attempts = 5

  /// Creates the instance over its base image, downloaded where it is missing.
  func createAnew(
    in store: InstanceStore, with client: ReleaseClient
  ) async throws -> (InstanceStore.Locked, SupervisorProcess.Standby, QEMUToolchain) {
    var lost: String?
    for _ in 0..<Self.attempts {
      let provisions = try await LaunchPrerequisites.ensure(for: target, with: client)
      do {
        let image = try await provisions.baseImage.checked(on: client.loop)
        // Until the instance names its image nobody may remove that.
        let lock = try await ImagesLock.shared(at: cache.images, on: client.loop)
        defer { lock.release() }
        if Files.information(image.path).map({ FileStamp($0) }) == image.stamp {
          let (instance, supervisor) = try await create(
            in: store, provisions, image, on: client.loop)
          return (instance, supervisor, provisions.toolchain)
        }
      } catch ImageError.changed(_, .gone) {}
      lost = provisions.baseImage.path
    }
    throw ImageError.changed(path: lost ?? cache.images, .gone)
  }

  private func create(
    in store: InstanceStore, _ provisions: LaunchPrerequisites, _ baseImage: BaseImage,
    on loop: EventLoop
  ) async throws -> (InstanceStore.Locked, SupervisorProcess.Standby) {
    var options = overrides.json
    options["shutdownTimeout"] = .integer(Int64(shutdownTimeout))
    while true {
      let candidate = name ?? InstanceName.random()
      do {
        return try await store.create(
          candidate, target, baseImage: baseImage.path, baseDigest: baseImage.sha256,
          options: options, boot: intention(store.files(candidate))
        ) { new in
          // It gets ready while the disk is made.
          async let supervisor = try SupervisorProcess.start(
            files: new.files, supervisorLock: new.supervisorLock, vmLock: new.vmLock)
          try await DiskImage.createOverlay(
            at: new.files.disk, over: baseImage.path, qemuImg: provisions.imageTools.qemuImg,
            on: loop)
          return try await supervisor
        }
      } catch let error as FileError where error.cause.isOccupied {
        // A random name is simply drawn again; a name that was asked for is somebody else's now.
        if name == nil { continue }
        throw store.taken(candidate, doing: "run")
      }
    }
  }

  /// What `--rm` needs to be carried out even if this process is killed before its VM has a
  /// supervisor; nil without `--rm`.
  private func intention(_ files: InstanceFiles) -> BootRecord? {
    guard removeOnShutdown else { return nil }
    return .beginning(
      files, runtimeFolder: nil, removeOnShutdown: true,
      shutdownTimeout: shutdownTimeout, isFirst: true)
  }
}
