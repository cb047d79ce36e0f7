import QVMControl

/// The advice for a download that failed: whose fault it may be, and what works without it.
enum DownloadHint {
  /// What a failure may come from, beyond its own advice: the mirror that the user has chosen.
  ///
  /// - Returns: A sentence; nil if the failure says nothing about the mirror, or there is none.
  static func source(of failure: any UserFacingError) -> String? {
    guard let mirror = Host.environment("QVM_BASE_URL"), isAboutServer(failure) else { return nil }
    return
      "QVM_BASE_URL is set to \(mirror). Without it qvm downloads from \(ReleaseSource.github)."
  }

  private static func isAboutServer(_ failure: any UserFacingError) -> Bool {
    switch failure {
    case let failure as DownloadError:
      switch failure {
      case .curlMissing, .diskFull, .unwritable: false
      default: true
      }
    case let failure as ReleaseError:
      switch failure {
      case .noSuchAsset, .notInRelease, .notFound, .noSuchRelease, .noLatest: true
      case .badBaseURL, .credentials, .badTag, .builtIn: false
      }
    default: false
    }
  }

  /// Whether something else could be run in its place.
  static func isDownload(_ failure: any UserFacingError) -> Bool {
    failure is DownloadError || failure is ReleaseError
  }

  /// Reports a failed download, and what can be run in place of a target.
  static func report(_ failure: any UserFacingError, insteadOf target: Target) {
    Output.report(failure)
    if failure.exitStatus == .usage { return }
    for advice in instead(of: target) { Output.note("     \(advice)\n") }
  }

  /// What can be run without the download.
  ///
  /// - Returns: Sentences; none for the built-in guest, which only lacks QEMU.
  static func instead(of target: Target) -> [String] {
    if target.operatingSystem == .demo { return [] }
    return [
      VersionHint.advice(insteadOf: target, command: RunCommand.name),
      "'qvm run --rm demo 1' boots the built-in guest, which needs no image.",
    ].compactMap(\.self)
  }
}
