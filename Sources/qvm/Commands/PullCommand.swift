import QMPClient
import QVMControl

struct PullCommand: Command {
  static let name = "pull"
  static let summary = "Download a base image, and QEMU if it is missing."
  static let discussion: String? = """
    If the image is in the cache already, nothing is downloaded, whatever its release. --release names
    the release to use. If its image is missing or damaged, it is downloaded again. The download
    replaces the old file only if it is byte-for-byte the image that the instances were created from.
    """
  static let parameters: [Parameter<Self>] = [
    .argument("OS", "The operating system.", completing: .targets) { $0.system = $1 },
    .argument("VERSION", orNone: true, TargetWords.versionHelp, completing: .versions) {
      $0.version = $1
    },
    .platform { $0.platform = $1 },
    .flag("--refresh", "Look for newer releases of the image and of QEMU.") { $0.refreshes = true },
    .option("--release", "TAG", "The release of the image, such as v0.15.0.") {
      $0.release = $1
    },
    .flag("--quiet", short: "-q", "Print only errors.") { $0.isQuiet = true },
  ]

  var system = ""
  var version: String?
  var platform: String?
  var refreshes = false
  var isQuiet = false
  var release: String?

  func advice(missing placeholder: String) -> String? {
    "Such as 'qvm pull freebsd 14.2'. 'qvm images --available' lists what there is."
  }

  func run() throws -> ExitStatus {
    let request = try TargetWords.request(
      system, version, platform: platform, command: Self.name)
    if let release { try ReleaseError.check(tag: release) }
    let cache = try Cache.fromEnvironment()
    try cache.prepare()
    let image: BaseImage
    do {
      image = try Interruptible.run { loop in
        let client = try ReleaseClient.forTerminal(cache, isQuiet: isQuiet, on: loop)
        var choice = TargetChoice(with: client, release: release)
        return try await LaunchPrerequisites.ensure(
          for: try await choice.target(request), refresh: refreshes, release: release, with: client
        ).baseImage
      }
    } catch let failure as any UserFacingError where DownloadHint.isDownload(failure) {
      DownloadHint.report(failure, insteadOf: request)
      return failure.exitStatus
    }
    try Output.print("\(image.path)\n")
    return .done
  }
}
