package import QMPClient

/// One `qvm run`, from the user's words to a VM that is supervised: the workflow of the
/// specification, step by step.
package struct Launch: Sendable {
  package var target: Target
  package var name: InstanceName?
  package var overrides: RunOverrides
  package var removeOnShutdown: Bool
  package var shutdownTimeout: Int
  package var cache: Cache
  /// Where to write down the conversation with QEMU; nil for nowhere.
  package var recording: String?

  package init(
    target: Target, name: InstanceName?, overrides: RunOverrides, removeOnShutdown: Bool,
    shutdownTimeout: Int, cache: Cache, recording: String? = nil
  ) {
    self.target = target
    self.name = name
    self.overrides = overrides
    self.removeOnShutdown = removeOnShutdown
    self.shutdownTimeout = shutdownTimeout
    self.cache = cache
    self.recording = recording
  }

  /// What was downloaded or found for a target.
  package struct Provisions: Sendable {
    package let toolchain: QEMUToolchain
    package let baseImage: String
    package let qemuImg: String
  }

  /// A VM that a supervisor has been started for.
  package struct Launched: Sendable {
    package let name: InstanceName
    package let files: InstanceFiles
    package let runtime: RuntimeFolder
    /// The connection to the supervisor, which holds the lease.
    package let supervisor: Descriptor
    /// Whether the guest's ssh can be reached from other machines.
    package let exposesSSH: Bool
  }

  /// How long a guest may take to power off unless told otherwise, in seconds.
  package static let defaultShutdownTimeout = 120

  // MARK: - Dry run

  /// The command as it would be run, without touching network or disk; `ownFrom` is the index of
  /// the first argument that is qvm's own.
  package func dryRun() throws -> (arguments: QEMUArguments, ownFrom: Int) {
    let name = try self.name ?? InstanceName("qvm-\(target.operatingSystem.rawValue)")
    let files = InstanceStore(cache).files(name)
    let toolchain = try QEMUToolchain.planned(for: target, in: cache)
    let command = try command(toolchain: toolchain, disk: files.disk)
    let own = MonitorArguments(name: name, files: files, runtime: try RuntimeFolder.of(files)).words
    return (QEMUArguments(command.words + own), command.words.count)
  }

  /// The driver's command with the program's path and the user's changes.
  private func command(toolchain: QEMUToolchain, disk: String) throws -> QEMUArguments {
    let driver = try Driver.find(target)
    let words = driver.command(DriverPaths(cache: toolchain.root, image: disk))
    let adapted = toolchain.adapted(QEMUArguments(words), for: target)
    return try overrides.apply(to: adapted.settingProgram(toolchain.program))
  }

  // MARK: - Starting

  /// Boots an instance that exists, or creates it first; downloads what is missing.
  ///
  /// - Parameter provide: Makes sure that QEMU and the base image are there.
  package func start(
    waitsForConsole: Bool, on loop: EventLoop,
    provide: (Target) async throws -> Provisions
  ) async throws -> Launched {
    try cache.prepare()
    let store = InstanceStore(cache)
    if let name, store.exists(name) {
      // One that ended unobserved may have to be removed first.
      _ = Reconciliation.finish(name, in: store)
    }
    if let name, store.exists(name) {
      let instance = try store.lock(name, to: "run")
      guard instance.record.target == target else {
        throw InstanceError.exists(
          name: name.text, as: instance.record.target.imageName, wanted: target.imageName)
      }
      return try await boot(instance, isFirst: false, waitsForConsole, provide)
    }
    let provisions = try await provide(target)
    let instance = try await create(in: store, provisions, on: loop)
    return try await boot(instance, isFirst: true, waitsForConsole) { _ in provisions }
  }

  private func create(
    in store: InstanceStore, _ provisions: Provisions, on loop: EventLoop
  ) async throws -> InstanceStore.Locked {
    while true {
      let candidate = name ?? InstanceName.random()
      do {
        return try await store.create(candidate, target, baseImage: provisions.baseImage) { disk in
          try await DiskImage.createOverlay(
            at: disk, over: provisions.baseImage, qemuImg: provisions.qemuImg, on: loop)
        }
      } catch let error as FileError where error.cause.isOccupied {
        // A random name is simply drawn again; a name that was asked for is somebody else's now.
        if name == nil { continue }
        throw InstanceError.running(name: candidate.text, doing: "run")
      }
    }
  }

  private func boot(
    _ instance: InstanceStore.Locked, isFirst: Bool, _ waitsForConsole: Bool,
    _ provide: (Target) async throws -> Provisions
  ) async throws -> Launched {
    do {
      let provisions = try await provide(target)
      let runtime = try RuntimeFolder.of(instance.files)
      let command = try command(toolchain: provisions.toolchain, disk: instance.files.disk)
      let plan = LaunchPlan(
        kind: .boot, cache: cache.path, name: instance.name.text, command: command.words,
        runtimeFolder: runtime.path,
        isPortFixed: overrides.sshPort != nil, removeOnShutdown: removeOnShutdown,
        shutdownTimeout: shutdownTimeout, waitsForConsole: waitsForConsole, isFirst: isFirst,
        recording: recording)
      let supervisor = try SupervisorProcess.start(
        plan, files: instance.files, supervisorLock: instance.supervisorLock,
        vmLock: instance.vmLock)
      return Launched(
        name: instance.name, files: instance.files, runtime: runtime, supervisor: supervisor,
        exposesSSH: ["", "0.0.0.0"].contains(command.forwardedAddress))
    } catch {
      // Nothing was booted from a disk that was made for this.
      if isFirst { try? InstanceStore(cache).remove(instance.name, holding: instance.vmLock) }
      throw error
    }
  }
}
