internal import QMPClient

extension Reconciliation {
  /// What became of a VM whose supervisor went without a word.
  enum Loss {
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
  static func loss(
    of name: InstanceName, after previousBoot: String?, in store: InstanceStore
  ) -> Loss {
    let files = store.files(name)
    let token = files.bootToken
    guard files.hasEnded(boot: token) else { return .lives }
    if token == previousBoot, store.exists(name) {
      _ = finish(name, in: store)
      return .neverBegan
    }
    let end = end(of: name, boot: token, in: store)
    return .ended(end.outcome, removed: end.removed)
  }

  /// What to tell of the second.
  static func neverBegan(_ name: InstanceName, _ files: InstanceFiles) -> String {
    "the supervisor of \(name) ended before it had begun"
      + (Files.exists(files.supervisorLog) ? "; see \(files.supervisorLog)" : "")
  }
}
