import QVMControl

struct RunCommand: Command {
  static let name = "run"
  static let summary = "Create and boot a VM, and download what it needs."
  static let discussion: String? = """
    The guest's console appears on this terminal. Ctrl-C presses the guest's power button and waits
    until the guest has shut down. A second Ctrl-C ends QEMU, a third one kills it. Ctrl-] ? lists the
    keys. 'qvm console --help' tells how to choose another key than Ctrl-], and what the guest may do
    with the terminal.

    SIGTERM and SIGINT from other processes count as Ctrl-C. If the same signal comes again within two
    seconds, it is ignored, because many programs send it twice.

    If --name names an existing instance, that instance is booted again with the options that it was
    created with. Options that are given here replace them for this boot only.

    Some images take no login without an ssh key: all of OpenBSD, and those of FreeBSD before v0.14.0 and
    of NetBSD before v1.0.0. Their guests get a key of qvm's own, and those of --ssh-key, at every boot.
    FILE may also be a private key with its public key beside it, as FILE.pub.

    With COMMAND, qvm waits until the guest is ready, runs COMMAND in it over ssh, and shuts the guest
    down. Without --rm the stopped instance stays, for 'qvm start -d' or 'qvm rm'. Several words are a
    program and exactly its arguments; one word alone is a line for the guest's /bin/sh. --script runs lines
    of a file. 'qvm exec --help' tells more of all that, and of terminals, and 'qvm ssh --help' how a signal
    ends COMMAND.

    --volume copies HOST into the guest before COMMAND, to GUEST, which is absolute or begins at the home
    (default: the name of HOST in the home). COMMAND starts where the current folder was copied to:

      qvm run --rm -v .:rw freebsd 14.2 -- make test

    With :rw, what COMMAND has changed is copied back after it, also when it failed. A file that was changed
    here meanwhile stays; the guest's is put beside it as FILE.guest. Files that were deleted in the guest
    stay here. What is in .git does not come back. --output fetches single files or patterns, as root if
    needed; a relative path begins in the folder of COMMAND. 'qvm cp --help' tells what is copied.
    """
  static let parameters: [Parameter<Self>] = [
    .argument(
      "OS",
      "\(OperatingSystem.allCases.map(\.rawValue).joined(separator: ", ")) (the built-in guest).",
      completing: .targets
    ) { $0.system = $1 },
    .argument("VERSION", orNone: true, TargetWords.versionHelp, completing: .versions) {
      $0.version = $1
    },
    .option(
      "--name", "NAME", "The instance's name (default: qvm- and a random word).",
      completing: .instances
    ) { $0.instance = $1 },
    .platform { $0.platform = $1 },
    .flag("--rm", "Remove the instance once its shutdown is confirmed.") { $0.removes = true },
    .flag("--dry-run", "Print the QEMU command and exit.") { $0.isDryRun = true },
    .flag("--detach", short: "-d", "Run in the background, and print the instance's name.") {
      $0.detaches = true
    },
    .flag("--quiet", short: "-q", "Print only errors.") { $0.isQuiet = true },
    .escape { $0.escape = $1 },
    .option("--cpus", "N", "Virtual CPUs (default: 2; demo: 1).") { $0.cpus = $1 },
    .option(
      "--memory", "SIZE",
      "Memory, such as 512M or 4G; a plain number is in MiB (default: 6G; demo: 64M)."
    ) { $0.memory = $1 },
    .option(
      "--disk", "SIZE",
      "The size of a new instance's disk, such as 30G (default: that of the image, 12G). The README tells how the guest gets at the room."
    ) { $0.disk = $1 },
    .option("--cpu", "MODEL", "CPU model (default: the one that --dry-run shows).") {
      $0.cpu = $1
    },
    .option(
      "--accel", "LIST",
      "Accelerators, tried from left to right (default: hvf:kvm:tcg). tcg always works, but is slow."
    ) { $0.accelerators = $1 },
    .option(
      "--ssh-port", "PORT",
      "Host port for the guest's ssh server (default: 2847 or the next free port)."
    ) {
      $0.port = $1
    },
    .option(
      "--ssh-address", "ADDRESS", "Host address to forward ssh on (default: all interfaces)."
    ) {
      $0.address = $1
    },
    .option(
      "--ssh-key", "FILE",
      "A public key that may log in, for a guest that takes no login without one. May be given several times.",
      completing: .files
    ) { $0.keyFiles.append($1) },
    .option(
      "--publish", short: "-p", "[ADDRESS:]HOST:GUEST",
      "Forward port HOST of this machine to port GUEST of the guest; /udp after it for UDP. HOST 0: a free port. ADDRESS: 127.0.0.1, or 0.0.0.0 for all. May be given several times; 'qvm port' changes it later."
    ) { $0.published.append($1) },
    .option(
      "--shutdown-timeout", "SECONDS",
      "How long the guest may take to power off (default: 120; OmniOS: 180)."
    ) { (command: inout Self, time: Seconds) in command.shutdownTimeout = time.count },
    .option(
      "--ready-timeout", "SECONDS",
      "With COMMAND: how long the guest may take to become ready (default: 900)."
    ) { (command: inout Self, time: Seconds) in command.readyTimeout = time.count },
    .option(
      "--volume", short: "-v", "HOST[:GUEST][:rw]",
      "With COMMAND: copy a file or folder into the guest before; with :rw, what changed back after."
    ) { $0.copies.volumes.append($1) },
    .option(
      "--output", "GUEST[:HOST]",
      "With COMMAND: fetch what fits GUEST after it, into the current folder or to HOST."
    ) { $0.copies.outputs.append($1) },
    .option("--exclude", "PATTERN", "Leave out of the volumes what fits PATTERN, such as '*.o'.") {
      $0.copies.excluded.append($1)
    },
    .flag("--all", "Copy into the volumes what git ignores, too.") { $0.copies.takesAll = true },
    .environment { $0.surroundings.variables.append($1) },
    .environmentFile { $0.surroundings.files.append($1) },
    .workFolder(
      "Run COMMAND in the guest's folder DIR (default: where the current folder is, or the home)."
    ) { $0.surroundings.folder = $1 },
    .script { $0.surroundings.script = $1 },
    .terminal { $0.surroundings.terminal = true },
    .noTerminal { $0.surroundings.terminal = false },
    .option(
      "--qemu-arg", "ARG",
      "An additional argument for QEMU. May be given several times; paths may be relative."
    ) {
      $0.qemuArguments.append($1)
    },
    .option(
      "--record-qmp", "FILE", "Record the QMP conversation to FILE.",
      completing: .files
    ) { $0.recording = $1 },
    .trailing(
      "COMMAND", "Run COMMAND in the guest over ssh, shut down, and exit with its status."
    ) { $0.command.append($1) },
  ]

  var system = ""
  var version: String?
  var instance: String?
  var platform: String?
  var removes = false
  var isDryRun = false
  var detaches = false
  var isQuiet = false
  var escape: String?
  var cpus: Int?
  var memory: String?
  var disk: String?
  var cpu: String?
  var accelerators: String?
  var port: Int?
  var address: String?
  var keyFiles: [String] = []
  var published: [String] = []
  var shutdownTimeout: Int?
  var readyTimeout: Int?
  var copies = CommandFilesOptions()
  var surroundings = GuestTaskOptions()
  var qemuArguments: [String] = []
  var recording: String?
  var command: [String] = []
  /// The connection to the matrix that this run belongs to.
  var link: MatrixLink?

  func advice(missing placeholder: String) -> String? {
    if let advice = adviceForOption { return advice }
    if let instance, let advice = NameHint.advice(forInstance: instance) { return advice }
    return "Such as 'qvm run freebsd 14.2'. 'qvm images --available' lists what there is."
  }

  func advice(extra word: String) -> String? {
    guard word.utf8.first.map({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) == true else {
      return nil
    }
    return
      "'qvm run' boots one VM. 'qvm matrix' runs a command on several systems, such as"
      + " \(system):\(word)."
  }

  /// The option that took the operating system as its value, because its own was forgotten.
  private var optionWithSystem: String? {
    guard OperatingSystem(word: system) == nil else { return nil }
    return Self.rows.flatMap(\.spellings).first { option in
      value(of: option).flatMap { OperatingSystem(word: $0) } != nil
    }
  }

  /// What to do about that option.
  private var adviceForOption: String? {
    optionWithSystem.map { option in
      "\(option) took '\(value(of: option) ?? "")' as its value. Give it a value of its own."
    }
  }

  /// What the user said of the target.
  private func request() throws -> TargetRequest {
    do {
      return try TargetWords.request(system, version, platform: platform, command: Self.name)
    } catch UsageError.unknownSystem(let word, let advice) {
      let ownAdvice = version == nil ? NameHint.advice(forInstance: word) : nil
      throw UsageError.unknownSystem(word, advice: adviceForOption ?? ownAdvice ?? advice)
    }
  }

  /// The text that an option with one was given.
  private func value(of option: String) -> String? {
    switch option {
    case "--name": instance
    case "--platform": platform
    case "--escape": escape
    case "--memory": memory
    case "--disk": disk
    case "--cpu": cpu
    case "--accel": accelerators
    case "--ssh-address": address
    case "--ssh-key": keyFiles.last
    case "--record-qmp": recording
    default: nil
    }
  }

  /// A command line that can be followed.
  private struct Checked {
    let request: TargetRequest
    /// Has a provisional target if `isOpen`.
    let launch: Launch
    /// Whether the version is still to be chosen.
    let isOpen: Bool
    /// What is to run in the guest; nil for nothing.
    let task: GuestTask?
    let files: CommandFiles
    let escape: EscapeKey
    let readyTimeout: Duration?
  }

  /// Whether something is to run in the guest.
  private var hasTask: Bool { !command.isEmpty || surroundings.script != nil }

  /// Checks everything that needs neither network nor VM.
  func check() throws { _ = try checked() }

  private func checked() throws -> Checked {
    let request = try request()
    let cache = try Cache.fromEnvironment()
    let name = try instance.map { try InstanceName($0) }
    let known = try request.target ?? TargetWords.existing(name, request, in: cache)
    let launch = try launch(request, known, name, cache)
    if !hasTask,
      let option = copies.given ?? surroundings.given
        ?? (readyTimeout == nil ? nil : "--ready-timeout")
    {
      throw UsageError.missingArgument(
        placeholder: "COMMAND",
        advice: "Put a command for the guest after '--', or leave out \(option).")
    }
    let files = try copies.files(in: surroundings.folder)
    var task = hasTask ? try surroundings.task(command) : nil
    task?.folder = files.folder?.text
    if hasTask {
      if detaches { throw UsageError.detachedCommand }
      guard launch.target.operatingSystem.sshUser != nil else {
        throw SSHError.noServerEver(system: launch.target.operatingSystem.displayName)
      }
    }
    let escape = try EscapeKey.chosen(escape)
    if !isDryRun { try RunOptionValidation.checkHost(accelerators: accelerators) }
    return Checked(
      request: request, launch: launch, isOpen: known == nil, task: task, files: files,
      escape: escape,
      readyTimeout: try readyTimeout.map { try RunOptionValidation.timeout($0) })
  }

  func run() throws -> ExitStatus {
    let checked = try checked()
    if isDryRun { return try printDryRun(checked.launch) }
    do {
      return try LaunchRunner.run(
        checked.launch, detaches: detaches, isQuiet: isQuiet, escape: checked.escape,
        task: checked.task, files: checked.files,
        readyTimeout: checked.readyTimeout ?? GuestCommandSession.defaultReadyTimeout,
        choosing: checked.isOpen ? checked.request : nil, link: link)
    } catch let failure as any UserFacingError where DownloadHint.isDownload(failure) {
      DownloadHint.report(failure, insteadOf: checked.request)
      return failure.exitStatus
    }
  }

  /// The launch of `known`, or of any version if that is still to be chosen.
  private func launch(
    _ request: TargetRequest, _ known: Target?, _ name: InstanceName?, _ cache: Cache
  ) throws -> Launch {
    guard let target = known ?? request.anyTarget else { throw TargetError.badVersion("") }
    let accelerators = try self.accelerators ?? RunOptionValidation.acceleratorsOfEnvironment()
    let address = try self.address ?? RunOptionValidation.addressOfEnvironment()
    let memory = try self.memory.map {
      try RunOptionValidation.memory($0, for: target.operatingSystem)
    }
    let overrides = try RunOverrides(
      cpus: cpus, memory: memory, disk: disk, cpu: cpu,
      accelerators: accelerators, sshPort: port, sshAddress: address,
      published: try published.map { try PublishedPort($0) }, extraArguments: qemuArguments)
    if let shutdownTimeout { _ = try RunOptionValidation.timeout(shutdownTimeout) }
    var launch = Launch(
      target: target, name: name, overrides: overrides,
      removeOnShutdown: removes, shutdownTimeout: shutdownTimeout,
      cache: cache, recording: recording.map(Files.absolute))
    launch.sshKeys = try sshKeys(for: target)
    launch.logsIn = hasTask
    return launch
  }

  /// The keys in the user's files, each once.
  private func sshKeys(for target: Target) throws -> [PublicKey] {
    if !keyFiles.isEmpty, target.operatingSystem.sshUser == nil {
      throw SSHKeyError.noServer(system: target.operatingSystem.displayName)
    }
    var keys: [PublicKey] = []
    for key in try keyFiles.flatMap({ try PublicKey.read($0) }) where !keys.contains(key) {
      keys.append(key)
    }
    return keys
  }

  private func printDryRun(_ launch: Launch) throws -> ExitStatus {
    let (arguments, ownFrom, notes) = try launch.dryRun()
    for note in notes { Output.note("qvm: \(note)\n") }
    Output.note(
      "qvm: the arguments from line \(arguments.shellLine(ofOwnFrom: ownFrom)) on are added by qvm\n"
    )
    try Output.show(arguments.shellText(ownFrom: ownFrom))
    return .done
  }
}
