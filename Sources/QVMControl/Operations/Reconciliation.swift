/// Finishes what a supervisor that was killed could not: it says how the VM ended, by what was left
/// behind, and carries out `--rm`.
package enum Reconciliation {
  package enum Result: Sendable {
    /// The VM lives, or somebody else is at it.
    case busy
    case settled
    case removed
  }

  /// Looks at an instance under its lock.
  package static func reconcile(_ name: InstanceName, in store: InstanceStore) -> Result {
    attempt(name, in: store).result
  }

  /// The same, with the outcome that was found, which may be gone with its instance by now.
  private static func attempt(
    _ name: InstanceName, in store: InstanceStore
  ) -> (result: Result, outcome: Outcome?) {
    let files = store.files(name)
    // What somebody else wrote into a cache its owner could not read any more.
    guard store.cache.isOwn else { return (.busy, nil) }
    // A supervisor that took over gets `vm.lock` only when QEMU has ended: by its own lock it says
    // that the rest is its to do.
    guard !FileLock.isHeld(files.vmLock),
      let supervisorLock = try? FileLock.attempt(files.supervisorLock),
      let lock = try? FileLock.attemptExisting(files.vmLock)
    else { return (.busy, nil) }
    defer { supervisorLock.release() }
    guard let boot = try? BootRecord.read(files.boot) else { return (.settled, nil) }
    // One that can't be read may say more than could be found out now: it is left as it is.
    guard let known = try? Outcome.read(files.outcome) as Outcome?? else {
      return (.settled, nil)
    }
    let outcome =
      known.flatMap { $0.token == boot.token ? $0 : nil } ?? inferOutcome(of: boot, in: files)
    if known != outcome {
      // While it can't be written, what was kept of it elsewhere stays, too.
      guard (try? JSONFile.write(outcome.json, to: files.outcome)) != nil else {
        return (.settled, outcome)
      }
    }
    boot.runtime(files).remove()
    KeptOutcome.remove(boot: boot.token, of: files)
    guard RemovalPolicy.removes(.ended(boot, outcome)) else { return (.settled, outcome) }
    let isRemoved = (try? store.remove(name, holding: lock)) != nil
    return (isRemoved ? .removed : .settled, outcome)
  }

  /// How a boot ended whose supervisor didn't say so; what was to be done after its last words is
  /// done here.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - token: The boot.
  ///   - store: Where the instance is.
  /// - Returns: How it ended, and whether the instance is gone.
  static func outcome(
    of name: InstanceName, boot token: String?, in store: InstanceStore
  ) -> (outcome: Outcome, removed: Bool) {
    let found = attempt(name, in: store).outcome
    // Somebody else may be doing the same.
    let known = found ?? (try? Outcome.read(store.files(name).outcome)) ?? nil
    let outcome = known.flatMap { $0.token == token ? $0 : nil }
    return (outcome ?? .unobserved, removed: !store.exists(name))
  }

  /// How a boot ended whose outcome is not on file: as its supervisor kept it elsewhere, or by what
  /// was left behind where nobody watched it to its end.
  static func inferOutcome(of boot: BootRecord, in files: InstanceFiles) -> Outcome {
    if let kept = KeptOutcome.read(boot: boot.token, of: files) { return kept }
    if boot.hostBootID != Host.bootID {
      return Outcome(token: boot.token, result: .crashed, reason: Outcome.hostReboot)
    }
    // The disk is as after a power cut, and what became of the VM is the original's.
    if let lock = boot.lock, lock != files.lockIdentity {
      return Outcome(token: boot.token, result: .crashed, reason: Outcome.copied)
    }
    guard boot.wasGreeted else { return .unfinishedStart(boot) }
    // On a disk that is read-only by now QEMU can't have removed the file, however it ended.
    let pidFileRemains = Files.exists(boot.pidFile(in: files)) && Files.isWritable(files.folder)
    let verdict = Evidence().verdict(pidFileRemains: pidFileRemains)
    return Outcome(token: boot.token, result: verdict.result, reason: verdict.reason)
  }

  // MARK: - A supervisor that is gone

  /// What became of a VM whose supervisor went without a word.
  enum SupervisorLoss {
    case ended(Outcome, removed: Bool)
    /// It was gone before it had a record of its boot: what is on file is another boot's.
    case neverBegan
    /// QEMU runs without it.
    case lives
  }

  /// Finds out, and does what was to be done if it has ended.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - previousBoot: The boot that was on record when the supervisor was started.
  ///   - store: Where the instance is.
  /// - Returns: What became of it.
  static func afterSupervisorLoss(
    of name: InstanceName, previousBoot: String?, in store: InstanceStore
  ) -> SupervisorLoss {
    let files = store.files(name)
    let token = files.bootToken
    guard files.hasEnded(boot: token) else { return .lives }
    if token == previousBoot, store.exists(name) {
      _ = reconcile(name, in: store)
      return .neverBegan
    }
    let (outcome, removed) = outcome(of: name, boot: token, in: store)
    return .ended(outcome, removed: removed)
  }

  /// What to tell of the second.
  static func neverBegan(_ name: InstanceName, _ files: InstanceFiles) -> String {
    "the supervisor of \(name) ended before it had begun"
      + (Files.exists(files.supervisorLog) ? "; see \(files.supervisorLog)" : "")
  }
}
