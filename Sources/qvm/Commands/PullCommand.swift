import QMPClient
import QVMControl

struct PullCommand: Command {
  static let name = "pull"
  static let summary = "Download a base image, and QEMU if it is missing."
  static let discussion: String? = """
    An image that is there is used, of whatever release. With --release it is that release's: one
    that is missing or damaged is fetched again, and takes its place only if it is the same that
    its instances stand on.
    """
  static let parameters: [Parameter<Self>] = [
    .argument("OS", "The operating system.", completing: .operatingSystems) { $0.system = $1 },
    .argument("VERSION", "Its version, such as 14.2.") { $0.version = $1 },
    .option(
      "--platform", "ARCH", "CPU architecture (default: the host's).",
      completing: .platforms
    ) { $0.platform = $1 },
    .flag("--refresh", "Look for newer releases of the image and QEMU.") { $0.refreshes = true },
    .option("--release", "TAG", "The release to take it from, such as v0.15.0.") {
      $0.release = $1
    },
    .flag("--quiet", short: "-q", "Say nothing but what goes wrong.") { $0.isQuiet = true },
  ]

  var system = ""
  var version = ""
  var platform: String?
  var refreshes = false
  var isQuiet = false
  var release: String?

  func advice(missing placeholder: String) -> String? {
    placeholder == "VERSION" ? VersionHint.advice(for: system, command: Self.name) : nil
  }

  func run() throws -> ExitStatus {
    let target = try Target(
      operatingSystem: system, version: version, platform: platform, host: Host.architecture)
    if let release { try ReleaseError.check(tag: release) }
    let cache = try Cache.fromEnvironment()
    try cache.prepare()
    let image = try Interruptible.run { loop in
      let client = try ReleaseClient.forTerminal(cache, isQuiet: isQuiet, on: loop)
      return try await LaunchPrerequisites.ensure(
        for: target, refresh: refreshes, release: release, with: client
      ).baseImage
    }
    try Output.print("\(image.path)\n")
    return .done
  }
}
