internal import QMPClient

/// The instance whose VM is supervised: its files, its locks and the record of this boot.
struct SupervisedInstance: Sendable {
  let name: InstanceName
  let files: InstanceFiles
  let runtime: RuntimeFolder
  let store: InstanceStore
  let supervisorLock: FileLock
  /// nil while an adopted QEMU lives.
  var vmLock: FileLock?
  var boot: BootRecord
  /// What its guest is; nil if its record can't be read.
  private(set) lazy var target = (try? InstanceRecord(reading: files.record))?.target

  init(
    _ plan: LaunchPlan, name: InstanceName, boot: BootRecord, vmLock: FileLock?,
    supervisorLock: FileLock
  ) {
    self.name = name
    self.boot = boot
    self.vmLock = vmLock
    self.supervisorLock = supervisorLock
    store = InstanceStore(Cache(path: plan.cache))
    files = store.files(name)
    runtime = plan.runtime(files)
  }

  /// The files where they are now; nil if they were removed. Under the name there may be another
  /// instance by now, which is not this supervisor's to touch.
  var held: InstanceFiles? {
    if let folder = supervisorLock.folder ?? vmLock?.folder { return InstanceFiles(folder: folder) }
    // Only `supervisor.lock` was removed if `vm.lock` is still that of this boot.
    return boot.lock != nil && files.lockIdentity == boot.lock ? files : nil
  }

  /// Whether the folder is not where it was.
  var isMoved: Bool { held != files }

  var operatingSystem: OperatingSystem? { mutating get { target?.operatingSystem } }

  /// How to run commands in the guest; nil if it has no ssh server.
  var ssh: GuestSSH? {
    mutating get { try? GuestSSH(name.text, target, boot, held ?? files) }
  }

  /// Whether the guest has a command to power off, and a server to run it.
  var canBeToldBySSH: Bool {
    mutating get { operatingSystem?.powerOffCommand != nil && ssh != nil }
  }

  /// What shows that the guest is up.
  ///
  /// - Parameter offset: Where in the console's log its output begins, in bytes.
  /// - Returns: The sign; nil if there is none.
  mutating func readySign(from offset: Int) -> ReadySign? {
    target.flatMap { ReadySign(of: $0, boot, files, consoleOffset: offset) }
  }

  /// How long the button is given before the guest's own command is run: no time at all if the guest
  /// is known to ignore the button, else half of what the guest is given in all; nil if it has no
  /// command.
  mutating func commandDelay(timeout: Duration) -> Duration? {
    guard canBeToldBySSH, let target else { return nil }
    let obeys = target.operatingSystem.obeysPowerButton(on: target.architecture)
    return obeys ? timeout / 2 : .zero
  }

  // MARK: - Ports

  /// Says in the record of this boot which ports lead to the guest.
  ///
  /// - Throws: ``FileError`` if it can't be written.
  mutating func note(published ports: [PublishedPort]) throws(FileError) {
    let before = boot.published
    boot.published = ports
    guard let held else { return }
    do throws(FileError) {
      try JSONFile.write(boot.json, to: held.boot, isLasting: false)
    } catch {
      boot.published = before
      throw error
    }
  }

  /// Changes the ports of the next boots.
  ///
  /// - Throws: What keeps the instance's record from being changed.
  func editPublished(_ edit: (inout [PublishedPort]) -> Void) throws {
    guard let held else { return }
    try InstanceRecord.editPublished(in: held.record, edit)
  }

  // MARK: - The end

  /// Has the instance stay, whatever the outcome, and also for commands that look later.
  mutating func keep() {
    boot.removeOnShutdown = false
    if let held { try? JSONFile.write(boot.json, to: held.boot) }
  }

  /// Records how the boot ended.
  ///
  /// - Returns: What to report.
  mutating func record(_ outcome: Outcome) -> [String] {
    guard let held else {
      SupervisorLog.write("the folder \(files.folder) was removed while the VM ran")
      return []
    }
    var reports: [String] = []
    if isMoved {
      keep()
      reports.append(
        "the folder \(files.folder) was moved to \(held.folder), where the disk stays")
    }
    do throws(FileError) {
      try JSONFile.write(outcome.json, to: held.outcome)
    } catch {
      // The disk may be full or gone. The next command looks where it is kept, and then judges by
      // what else it finds.
      try? KeptOutcome.write(outcome, of: held)
      reports.append(error.message)
    }
    return reports
  }

  /// Removes the sockets of this boot.
  func removeSockets() {
    if !runtime.isBeside || supervisorLock.isFile(at: files.supervisorLock) {
      return runtime.remove()
    }
    // The short link may be another instance's by now.
    if let held { RuntimeFolder(path: held.folder).removeSockets() }
  }

  /// Removes the instance, if the rule allows it; whether it is gone.
  func remove(_ disk: RemovalPolicy.Disk) -> Bool {
    guard RemovalPolicy.removes(disk, isMoved: isMoved), let vmLock else { return false }
    do throws(FileError) {
      try store.remove(name, holding: vmLock)
      return true
    } catch {
      SupervisorLog.write(error.message)
      return false
    }
  }

  /// From now on other commands may have the instance.
  func release() {
    supervisorLock.release()
    vmLock?.release()
  }
}
