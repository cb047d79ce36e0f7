internal import QMPClient

/// One `qvm run` or `qvm start`: takes the user's options to a supervised VM, step by step as the
/// specification describes.
package struct Launch: Sendable {
  package var target: Target
  package var name: InstanceName?
  package var overrides: RunOverrides
  package var removeOnShutdown: Bool
  /// How long the guest may take to power off, in seconds. If nil, the instance's record decides, or
  /// else its operating system.
  private(set) var askedTimeout: Int?
  package var cache: Cache
  /// Whether the instance must exist already.
  package private(set) var mustExist = false
  /// The file for a record of the conversation with QEMU; nil for none.
  package var recording: String?
  /// The user's keys, for a guest that takes no login without one.
  package var sshKeys: [PublicKey] = []
  /// Whether the command logs in to the guest by ssh.
  package var logsIn = false

  package init(
    target: Target, name: InstanceName?, overrides: RunOverrides, removeOnShutdown: Bool,
    shutdownTimeout: Int?, cache: Cache, recording: String? = nil
  ) {
    self.target = target
    self.name = name
    // The record holds them too: the instance may be started again from another folder.
    self.overrides = Host.workingFolder.map(overrides.withAbsolutePaths) ?? overrides
    self.removeOnShutdown = removeOnShutdown
    askedTimeout = shutdownTimeout
    self.cache = cache
    self.recording = recording
  }

  /// How long the guest may take to power off, in seconds.
  var shutdownTimeout: Int { askedTimeout ?? target.operatingSystem.shutdownTimeout }

  /// The launch of an instance that exists, with the options that it was created with.
  ///
  /// - Throws: `noSuch`; `broken` if its record can't be read.
  package init(
    existing name: InstanceName, in store: InstanceStore, accelerators: String?
  ) throws {
    let files = try store.existing(name)
    do {
      let record = try InstanceRecord(reading: files.record)
      let overrides = try RunOverrides(.object(record.options), accelerators: accelerators)
      let timeout = record.options["shutdownTimeout"]?.int
      if let timeout { _ = try RunOptionValidation.timeout(timeout) }
      self.init(
        target: record.target, name: name, overrides: overrides, removeOnShutdown: false,
        shutdownTimeout: timeout, cache: store.cache)
      mustExist = true
    } catch let error as JSONFileError {
      throw InstanceError(unusable: name, error)
    } catch {
      throw InstanceError.broken(
        name: name.text, why: error.messageForUser)
    }
  }

  /// The driver's command with the program's path and the user's changes.
  private func command(
    toolchain: QEMUToolchain, files: InstanceFiles, keys: PreparedKeys?
  ) throws -> QEMUArguments {
    let words = try driverCommand(toolchain: toolchain, disk: files.disk)
    let adapted = toolchain.adapted(words, for: target)
    return try overrides.apply(
      to: adapted.settingProgram(toolchain.program), with: keys.map { ($0.disk, files.keyDisk) })
  }

  /// The driver's command, word for word as in the specification, with the paths filled in.
  func driverCommand(toolchain: QEMUToolchain, disk: String) throws -> QEMUArguments {
    let driver = try Driver.find(target)
    return QEMUArguments(driver.command(DriverPaths(cache: toolchain.root, image: disk)))
  }

  // MARK: - Starting

  /// Boots an existing instance, or creates it first. Downloads what is missing.
  ///
  /// - Parameters:
  ///   - waitsForConsole: Whether the guest's first instruction waits for the console.
  ///   - client: Finds and downloads what is missing.
  /// - Returns: The VM, whose supervisor has its plan.
  /// - Throws: ``InstanceError``, ``ImageError``, ``ToolchainError``, what a download throws, and
  ///   `CancellationError`.
  package func start(
    waitsForConsole: Bool, with client: ReleaseClient
  ) async throws -> SupervisedVM {
    try cache.prepare()
    let store = InstanceStore(cache)
    try checkPorts(for: name, in: store)
    try checkDiskSize(in: store)
    // If it ended unobserved, `--rm` may still have to be carried out.
    if let name, store.exists(name) { _ = Reconciliation.reconcile(name, in: store) }
    if let instance = try existing(in: store) {
      let launch = try again(instance, tell: client.notify)
      try launch.checkPorts(for: name, in: store)
      let toolchain = try await toolchain(for: instance, with: client)
      let keys = try await launch.prepare(
        LoginKeys(of: instance.record, users: sshKeys),
        release: String(Files.lastName(of: Files.parent(of: instance.record.baseImage))),
        with: client)
      return try launch.boot(instance, toolchain, keys, waitsForConsole)
    }
    let new = try await InstanceCreation(launch: self, store: store, client: client).run()
    return try boot(new.instance, new.toolchain, new.keys, newWith: new.supervisor, waitsForConsole)
  }

  /// Makes what the guest's disk with keys will hold; nil if it gets none.
  func prepare(
    _ keys: LoginKeys?, release: String, with client: ReleaseClient
  ) async throws -> PreparedKeys? {
    guard let keys else {
      if !sshKeys.isEmpty { client.notify(LoginKeys.unused(target, release: release)) }
      return nil
    }
    return try await keys.contents(isNeeded: logsIn, in: cache, with: client).map {
      PreparedKeys(disk: keys.disk, bytes: $0)
    }
  }

  /// Makes sure that the ports to publish can be had, before anything is downloaded or changed. The
  /// supervisor does it again.
  private func checkPorts(for name: InstanceName?, in store: InstanceStore) throws(PortError) {
    for port in overrides.published { try port.checkFree(for: name?.text ?? "", in: store) }
  }

  /// The named instance, locked; nil if it is to be created.
  private func existing(in store: InstanceStore) throws -> InstanceStore.Locked? {
    guard let name, mustExist || store.exists(name) else { return nil }
    do {
      let instance = try store.lock(name, to: mustExist ? "start" : "run")
      let disk = Files.information(instance.files.disk)
      guard disk?.kind == .file else {
        throw InstanceError.noDisk(
          name: name.text, path: instance.files.disk, isMissing: disk == nil)
      }
      return instance
    } catch let error as InstanceError {
      // If another command has just removed it, the name is free.
      if !mustExist, error.exitStatus == .noSuchInstance { return nil }
      throw error
    }
  }

  /// This launch with the options that the instance was created with. Options that the user gave now
  /// replace them for this boot.
  private func again(
    _ instance: InstanceStore.Locked, tell: (String) -> Void
  ) throws -> Launch {
    if mustExist { return self }
    let name = instance.name
    if removeOnShutdown {
      tell("'\(name)' exists already; --rm removes it and its disk after this shutdown")
    }
    let own = instance.record.options
    let changed =
      overrides.optionsDiffering(from: own)
      + (askedTimeout.map { Int64($0) } == own["shutdownTimeout"]?.int.map { Int64($0) }
        || askedTimeout == nil ? [] : ["--shutdown-timeout"])
      + (sshKeys.isEmpty || own[LoginKeys.member] == sshKeys.map(\.line).json
        ? [] : ["--ssh-key"])
    if !changed.isEmpty {
      tell(
        "\(changed.joined(separator: ", ")) \(changed.count == 1 ? "applies" : "apply") to this boot only; "
          + "'\(name)' keeps the options it was created with")
    }
    var launch = self
    do {
      launch.overrides = try overrides.completed(by: own)
    } catch {
      throw InstanceError.broken(name: name.text, why: error.message)
    }
    launch.askedTimeout = askedTimeout ?? own["shutdownTimeout"]?.int
    return launch
  }

  /// Checks the base image and, after a restart of the host, the disk of an existing instance.
  ///
  /// - Returns: The QEMU for it, which is downloaded if it is missing.
  /// - Throws: ``InstanceError``, ``ImageError``, ``ToolchainError``; `CancellationError`.
  private func toolchain(
    for instance: InstanceStore.Locked, with client: ReleaseClient
  ) async throws -> QEMUToolchain {
    let record = instance.record
    guard record.target == target else {
      throw InstanceError.exists(
        name: instance.name.text, as: record.target.imageName, wanted: target.imageName)
    }
    try await checkBaseImage(of: instance, with: client)
    // An outcome that can't be read says nothing, and this boot replaces it.
    if (try? Outcome.read(instance.files.outcome))?.reason == Outcome.hostReboot,
      let tools = ImageTools.present(in: cache)
    {
      client.notify("the host was restarted while \(instance.name) ran; checking its disk")
      try await DiskImage.check(
        instance.files.disk, of: instance.name.text, qemuImg: tools.qemuImg, on: client.loop)
    }
    return try await QEMUToolchain.ensure(for: target, with: client)
  }

  /// Makes sure that the base image of an instance is there and unchanged, and that the disk names it
  /// by its present path.
  ///
  /// - Throws: `baseImageMissing`, `cannotMoveDisk`; ``ImageError`` `changed`; ``ToolchainError``,
  ///   ``FileError``; `CancellationError`.
  private func checkBaseImage(of instance: InstanceStore.Locked, with client: ReleaseClient)
    async throws
  {
    let record = instance.record
    let path = cache.place(ofImage: record.baseImage)
    guard Files.exists(path) else {
      throw InstanceError.baseImageMissing(name: instance.name.text, path: path)
    }
    try await BaseImage.at(path)?.checked(against: record.baseDigest, on: client.loop)
    try await follow(path, instance, with: client)
  }

  /// Makes a disk use the base image of this cache, if the cache was moved or copied.
  ///
  /// An older qvm wrote the absolute path of the image into the disk. In a copied cache that path leads
  /// to the original's image, which may be removed at any time.
  private func follow(
    _ path: String, _ instance: InstanceStore.Locked, with client: ReleaseClient
  ) async throws {
    let disk = instance.files.disk
    // QEMU reports a damaged disk better than this could.
    guard let named = try? DiskImage.baseImage(of: disk),
      // If the disk names another image, the user has rebased it.
      ImageUsers.key(named) == ImageUsers.key(path), !Files.areSame(named, path)
    else { return }
    guard let tools = ImageTools.present(in: cache) else { throw ToolchainError.qemuImgMissing }
    try await DiskImage.rename(
      baseImage: path, of: disk, qemuImg: tools.qemuImg, on: client.loop)
    client.notify(
      "the cache was moved: the disk of \(instance.name) now uses \(path) instead of \(named)")
  }

  /// Makes sure that the logs are this instance's own files, and shortens those over their limits.
  ///
  /// - Returns: How many of the console's first bytes were removed.
  private func prepareLogs(_ files: InstanceFiles) throws(FileError) -> Int {
    // QEMU would follow a link and write elsewhere.
    try Files.checkForOutput(files.console)
    // A log that can't be shortened doesn't prevent a boot.
    _ = try? LogFile(files.supervisorLog).shorten()
    return (try? LogFile(files.console).shorten()) ?? 0
  }

  /// The folder for the sockets of a new boot.
  private static func runtime(_ files: InstanceFiles) -> RuntimeFolder {
    let beside = RuntimeFolder.of(files)
    return beside.takesSockets() ? beside : .away(from: files)
  }

  /// Boots an instance. `standby` is the supervisor of an instance that was created for this boot.
  private func boot(
    _ instance: InstanceStore.Locked, _ toolchain: QEMUToolchain, _ keys: PreparedKeys?,
    newWith standby: SupervisorProcess.Standby? = nil, _ waitsForConsole: Bool
  ) throws -> SupervisedVM {
    do {
      let runtime = Self.runtime(instance.files)
      let consoleCut = try prepareLogs(instance.files)
      try keys?.write(to: instance.files.keyDisk)
      let command = try command(toolchain: toolchain, files: instance.files, keys: keys)
      let plan = LaunchPlan(
        kind: .boot, cache: cache.path, name: instance.name.text, command: command.words,
        runtimeFolder: runtime.isBeside ? nil : runtime.path, isPortFixed: overrides.sshPort != nil,
        published: overrides.published, removeOnShutdown: removeOnShutdown,
        shutdownTimeout: shutdownTimeout,
        waitsForConsole: waitsForConsole, isFirst: standby != nil, consoleCut: consoleCut,
        recording: recording)
      let previousBoot = instance.files.bootToken
      let supervisor =
        try standby
        ?? SupervisorProcess.start(
          files: instance.files, supervisorLock: instance.supervisorLock, vmLock: instance.vmLock)
      let connection = try supervisor.tell(plan)
      return SupervisedVM(
        name: instance.name, store: InstanceStore(cache), files: instance.files, runtime: runtime,
        supervisor: connection, previousBoot: previousBoot,
        exposesSSH: ["", "0.0.0.0"].contains(command.forwardedAddress))
    } catch {
      if RemovalPolicy.removes(.unused(madeForThisBoot: standby != nil)) {
        try? InstanceStore(cache).remove(instance.name, holding: instance.vmLock)
      }
      throw error
    }
  }
}
