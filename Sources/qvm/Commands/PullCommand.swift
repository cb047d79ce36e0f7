import QMPClient
import QVMControl

struct PullCommand: Command {
  static let name = "pull"
  static let summary = "Download a base image, and QEMU if it is missing."
  static let parameters: [Parameter<Self>] = [
    .argument("OS", "The operating system.", \.system, completing: .operatingSystems),
    .argument("VERSION", "Its version, such as 14.2.", \.version),
    .option(
      "--platform", "ARCH", "CPU architecture (default: the host's).", \.platform,
      completing: .platforms),
    .flag("--refresh", "Look for newer releases of the image and QEMU.", \.refreshes),
    .flag("--quiet", short: "-q", "Say nothing but what goes wrong.", \.isQuiet),
  ]

  var system = ""
  var version = ""
  var platform: String?
  var refreshes = false
  var isQuiet = false

  func run() throws -> ExitStatus {
    let target = try Target(
      operatingSystem: system, version: version, platform: platform, host: Host.architecture)
    let cache = try Cache.fromEnvironment()
    try cache.prepare()
    let signals = Mailbox<Signal>()
    Signal.handle([.interrupt, .terminate, .hangUp, .quit]) { signals.send($0) }
    let loop = try EventLoop()
    let image = try loop.run {
      let client = try ReleaseClient.forTerminal(cache, isQuiet: isQuiet, on: loop)
      return try await Interruption.cancelling(on: signals, loop) {
        try await Provisions.ensure(for: target, refresh: refreshes, with: client).baseImage
      }
    }
    try Output.print("\(image.path)\n")
    return .done
  }
}
