import QVMControl

struct RunCommand: Command {
  static let name = "run"
  static let summary = "Boot a VM, after downloading what is missing."
  static let discussion: String? = """
    The guest's console appears on this terminal. Ctrl-C presses the guest's power button and waits
    until it has shut down; a second Ctrl-C ends QEMU, a third kills it. Ctrl-] ? lists the keys:
    Ctrl-5 on most terminals, another with --escape or QVM_ESCAPE.
    SIGTERM and SIGINT from other processes count alike, but the same signal again within two
    seconds is the same wish: many programs signal twice. The name of an instance that exists boots
    that instance again, as it was created; options that are given here hold for this boot. A signal to
    a run with a COMMAND ends that in the guest first, as 'qvm ssh --help' says. What the guest may do
    with the terminal 'qvm console --help' says.
    """
  static let parameters: [Parameter<Self>] = [
    .argument(
      "OS",
      "\(OperatingSystem.allCases.map(\.rawValue).joined(separator: ", ")) (the built-in guest).",
      completing: .operatingSystems
    ) { $0.system = $1 },
    .argument("VERSION", "Its version; 'qvm images --available' lists them all.") {
      $0.version = $1
    },
    .option(
      "--name", "NAME", "The instance's name (default: qvm- and a random word).",
      completing: .instances
    ) { $0.instance = $1 },
    .option(
      "--platform", "ARCH", "CPU architecture (default: the host's).",
      completing: .platforms
    ) { $0.platform = $1 },
    .flag("--rm", "Remove the instance after its confirmed shutdown.") { $0.removes = true },
    .flag("--dry-run", "Print the QEMU command and exit.") { $0.isDryRun = true },
    .flag("--detach", short: "-d", "Run in the background; print the name.") { $0.detaches = true },
    .flag("--quiet", short: "-q", "Say nothing but what goes wrong.") { $0.isQuiet = true },
    .escape { $0.escape = $1 },
    .option("--cpus", "N", "Virtual CPUs (default: 2; demo 1).") { $0.cpus = $1 },
    .option(
      "--memory", "SIZE",
      "Memory, such as 512M or 4G; a bare number is in MiB (default: 6G; demo 64M)."
    ) { $0.memory = $1 },
    .option("--cpu", "MODEL", "CPU model (default: as 'qvm run --dry-run' shows it).") {
      $0.cpu = $1
    },
    .option(
      "--accel", "LIST",
      "Accelerators, tried from left to right (default: hvf:kvm:tcg); tcg always works, slowly."
    ) { $0.accelerators = $1 },
    .option("--ssh-port", "PORT", "The port for ssh (default: 2847 or the next free one).") {
      $0.port = $1
    },
    .option("--ssh-address", "ADDRESS", "The address for ssh (default: every one).") {
      $0.address = $1
    },
    .option(
      "--shutdown-timeout", "SECONDS",
      "How long the guest may take to power off (default: 120, OmniOS 180)."
    ) { $0.shutdownTimeout = $1 },
    .option(
      "--ready-timeout", "SECONDS",
      "With COMMAND: how long the guest may take to be ready (default: 900)."
    ) { $0.readyTimeout = $1 },
    .option("--qemu-arg", "ARG", "A further argument for QEMU; repeatable. Paths may be relative.")
    {
      $0.qemuArguments.append($1)
    },
    .option(
      "--record-qmp", "FILE", "Write down the conversation with QEMU.",
      completing: .files
    ) { $0.recording = $1 },
    .trailing(
      "COMMAND", "Run this in the guest by ssh, shut down, end with its status."
    ) { $0.command.append($1) },
  ]

  var system = ""
  var version = ""
  var instance: String?
  var platform: String?
  var removes = false
  var isDryRun = false
  var detaches = false
  var isQuiet = false
  var escape: String?
  var cpus: Int?
  var memory: String?
  var cpu: String?
  var accelerators: String?
  var port: Int?
  var address: String?
  var shutdownTimeout: Int?
  var readyTimeout: Int?
  var qemuArguments: [String] = []
  var recording: String?
  var command: [String] = []

  func advice(missing placeholder: String) -> String? {
    placeholder == "VERSION" ? VersionHint.advice(for: system, command: Self.name) : nil
  }

  func run() throws -> ExitStatus {
    let launch = try launch()
    if readyTimeout != nil, command.isEmpty {
      throw UsageError.contradiction("--ready-timeout", "a run without -- COMMAND")
    }
    if !command.isEmpty {
      if detaches { throw UsageError.contradiction("--detach", "-- COMMAND") }
      guard launch.target.operatingSystem.sshUser != nil else {
        throw SSHError.noServerEver(system: launch.target.operatingSystem.displayName)
      }
    }
    let escape = try EscapeKey.chosen(escape)
    if isDryRun { return try printDryRun(launch) }
    let patience = try readyTimeout.map { try RunOptionValidation.timeout($0) }
    return try LaunchRunner.run(
      launch, detaches: detaches, isQuiet: isQuiet, escape: escape, command: command,
      patience: patience ?? GuestCommandSession.defaultPatience)
  }

  private func launch() throws -> Launch {
    let target = try Target(
      operatingSystem: system, version: version, platform: platform, host: Host.architecture)
    let accelerators = try self.accelerators ?? RunOptionValidation.acceleratorsOfEnvironment()
    let address = try self.address ?? RunOptionValidation.addressOfEnvironment()
    let memory = try self.memory.map {
      try RunOptionValidation.memory($0, for: target.operatingSystem)
    }
    let overrides = try RunOverrides(
      cpus: cpus, memory: memory, cpu: cpu,
      accelerators: accelerators, sshPort: port, sshAddress: address,
      extraArguments: qemuArguments)
    if let shutdownTimeout { _ = try RunOptionValidation.timeout(shutdownTimeout) }
    return Launch(
      target: target, name: try instance.map { try InstanceName($0) }, overrides: overrides,
      removeOnShutdown: removes, shutdownTimeout: shutdownTimeout,
      cache: try Cache.fromEnvironment(), recording: recording.map(Files.absolute))
  }

  private func printDryRun(_ launch: Launch) throws -> ExitStatus {
    let (arguments, ownFrom, note) = try launch.dryRun()
    if let note { Output.note("qvm: \(note)\n") }
    Output.note(
      "qvm: from line \(arguments.shellLine(ofOwnFrom: ownFrom)) on the arguments are qvm's own\n")
    try Output.show(arguments.shellText(ownFrom: ownFrom))
    return .done
  }
}
