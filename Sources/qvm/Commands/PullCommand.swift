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
  ]

  var system = ""
  var version = ""
  var platform: String?

  func run() throws -> ExitStatus {
    .done
  }
}
