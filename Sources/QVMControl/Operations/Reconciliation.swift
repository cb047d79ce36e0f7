/// Does what a killed supervisor could not: finds out from what was left behind how the VM ended,
/// records that outcome, and carries out `--rm`.
package enum Reconciliation {
  package enum Conclusion: Sendable {
    /// The VM lives, or another process uses the instance.
    case busy
    /// The VM has ended, and nothing more can be done.
    case settled
    /// `--rm` was carried out.
    case removed
  }

  /// Reconciles an instance if its VM has ended, under its locks.
  package static func reconcile(_ name: InstanceName, in store: InstanceStore) -> Conclusion {
    attempt(name, in: store).result
  }

  /// The same, with the outcome of the last boot: its file may be removed with the instance.
  private static func attempt(
    _ name: InstanceName, in store: InstanceStore
  ) -> (result: Conclusion, outcome: Outcome?) {
    let files = store.files(name)
    // A file that another user wrote into the cache could be unreadable to its owner.
    guard store.cache.isOwn else { return (.busy, nil) }
    // A supervisor that adopted its QEMU gets `vm.lock` only after QEMU has exited. As long as it holds
    // its own lock, the rest is its task.
    guard !FileLock.isHeld(files.vmLock),
      let supervisorLock = try? FileLock.attempt(files.supervisorLock),
      let lock = try? FileLock.attemptExisting(files.vmLock)
    else { return (.busy, nil) }
    defer { supervisorLock.release() }
    guard let boot = files.bootRecord else { return (.settled, nil) }
    // An outcome that can't be read may say more than could be inferred now: leave it.
    guard let known = try? Outcome.read(files.outcome) as Outcome?? else {
      return (.settled, nil)
    }
    let outcome =
      known.flatMap { $0.token == boot.token ? $0 : nil } ?? inferOutcome(of: boot, in: files)
    if known != outcome {
      // If it can't be written, the copy that was kept elsewhere must stay as well.
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

  /// The outcome of a boot whose supervisor did not report one. Reconciles the instance first.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - token: The boot.
  ///   - store: Where the instance is.
  /// - Returns: The outcome, and whether the instance was removed.
  static func outcome(
    of name: InstanceName, boot token: String?, in store: InstanceStore
  ) -> (outcome: Outcome, removed: Bool) {
    let found = attempt(name, in: store).outcome
    // Another process may be reconciling it, or have done so.
    let known = found ?? (try? Outcome.read(store.files(name).outcome)) ?? nil
    let outcome = known.flatMap { $0.token == token ? $0 : nil }
    return (outcome ?? .unobserved, removed: !store.exists(name))
  }

  /// The outcome of a boot that is not on file: the copy that its supervisor kept elsewhere, or else
  /// what the files that were left behind show.
  static func inferOutcome(of boot: BootRecord, in files: InstanceFiles) -> Outcome {
    if let kept = KeptOutcome.read(boot: boot.token, of: files) { return kept }
    if boot.hostBootID != Host.bootID {
      return Outcome(token: boot.token, result: .crashed, reason: Outcome.hostReboot)
    }
    // In a copy of an instance the disk is as after a power cut. The VM belonged to the original.
    if let lock = boot.lock, lock != files.lockIdentity {
      return Outcome(token: boot.token, result: .crashed, reason: Outcome.copied)
    }
    guard boot.wasGreeted else { return .unfinishedStart(boot) }
    // If the disk has become read-only, QEMU could not remove the file, however it exited.
    let pidFileRemains = Files.exists(boot.pidFile(in: files)) && Files.isWritable(files.folder)
    let verdict = Evidence().verdict(pidFileRemains: pidFileRemains)
    return Outcome(token: boot.token, result: verdict.result, reason: verdict.reason)
  }

  // MARK: - After the loss of a supervisor

  /// What became of a VM whose supervisor was lost.
  enum SupervisorLoss {
    case ended(Outcome, removed: Bool)
    /// The supervisor exited before it had written a boot record: the one on file is an earlier boot's.
    case neverBegan
    /// QEMU runs without a supervisor.
    case lives
  }

  /// Finds out what became of the VM, and reconciles it if it has ended.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - previousBoot: The boot that was on record when the supervisor was started.
  ///   - store: Where the instance is.
  /// - Returns: What became of the VM.
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

  /// The sentence that reports ``SupervisorLoss/neverBegan``.
  static func neverBegan(_ name: InstanceName, _ files: InstanceFiles) -> String {
    "the supervisor of \(name) ended before it had begun"
      + (Files.exists(files.supervisorLog) ? "; see \(files.supervisorLog)" : "")
  }
}
