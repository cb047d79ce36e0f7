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
  static func report(_ failure: any UserFacingError, insteadOf request: TargetRequest) {
    guard let target = request.anyTarget, failure.exitStatus != .usage else {
      return Output.report(failure)
    }
    Output.report(failure, before: absence(of: target, request, failure))
    for advice in instead(of: request) { Output.note("     \(advice)\n") }
  }

  /// That an image isn't in the cache, for a failure that only says why it can't be downloaded.
  private static func absence(
    of target: Target, _ request: TargetRequest, _ failure: any UserFacingError
  ) -> String {
    guard failure is DownloadError, isAboutServer(failure), target.operatingSystem != .demo,
      let cache = try? Cache.fromEnvironment(), BaseImage.find(target, in: cache) == nil
    else { return "" }
    return "\(request) for \(target.architecture.rawValue) is not in the cache: "
  }

  /// What can be run without the download.
  ///
  /// - Returns: Sentences; none for the built-in guest, which only lacks QEMU.
  private static func instead(of request: TargetRequest) -> [String] {
    if request.operatingSystem == .demo { return [] }
    return [
      VersionHint.advice(insteadOf: request), VersionHint.known(request),
      "'qvm run --rm demo 1' boots the built-in guest, which needs no image.",
    ].compactMap(\.self)
  }
}
