package import QMPClient

/// Runs ssh to a guest.
package struct GuestSSH: Sendable, Hashable {
  private let client: String
  let folder: String
  let name: String
  let user: String
  let address: String
  let port: Int
  /// qvm's own key, for a guest that was given it in this boot.
  let key: SSHKeyPair?
  /// Whether the user is the one who can log in with that key.
  let isImageUser: Bool

  /// For a running VM.
  ///
  /// - Parameters:
  ///   - name: The instance's name.
  ///   - target: Its target; nil if its record can't be read.
  ///   - boot: The current boot; nil if there is none yet.
  ///   - files: The instance's files, among them the guest's host key.
  ///   - user: The guest's user; nil for that of the image.
  /// - Throws: ``SSHError`` if the guest has no ssh server, or ssh is missing; ``FileError`` if the
  ///   file for the host key is not the instance's own.
  init(
    _ name: String, _ target: Target?, _ boot: BootRecord?, _ files: InstanceFiles,
    as user: String? = nil
  ) throws {
    let imageUser = try Self.checkServer(name, target, boot)
    guard let boot else { throw SSHError.starting(name: name) }
    guard let port = boot.sshPort else { throw SSHError.noServer(name: name) }
    client = try Self.findClient()
    // ssh would follow a link.
    try Files.checkForOutput(files.knownHosts)
    folder = files.folder
    self.name = name
    self.user = user ?? imageUser
    self.port = port
    isImageUser = self.user == imageUser
    key = QEMUArguments(boot.command).hasKeyDisk ? SSHKeyPair.find(in: files.cache) : nil
    let address = boot.sshAddress ?? ""
    self.address = ["", "0.0.0.0"].contains(address) ? "127.0.0.1" : address
  }

  /// Checks that the guest has an ssh server, even if it isn't up yet.
  ///
  /// - Returns: The user that can log in.
  static func checkServer(
    _ name: String, _ target: Target?, _ boot: BootRecord?
  ) throws(SSHError) -> String {
    guard let user = target?.operatingSystem.sshUser else { throw .noServer(name: name) }
    if let boot, boot.wasGreeted, boot.sshPort == nil { throw .noServer(name: name) }
    return user
  }

  /// The connection that an ssh uses.
  package enum Route: Sendable, Hashable {
    /// Its own.
    case own
    /// Its own, which others may share from then on.
    case sharing
    /// The shared one. If that is gone, its own.
    case shared
  }

  /// The program to spawn: a shell, which changes to the instance's folder with the file of the
  /// guest's host key, and then executes ssh.
  package let program = "/bin/sh"

  /// The arguments for a command, or for a login shell if there is no command.
  ///
  /// They set everything that matters, and no configuration file is read. The user's configuration
  /// is meant for other hosts: with it another VM might answer, because a shared connection is
  /// found by host and port, or none. As usual, ssh offers the keys in `~/.ssh` with the default
  /// names and those of the agent, and also qvm's own if the guest knows it (``identities``). There are
  /// no keep-alive messages, because the connection to a paused VM must outlive the pause.
  ///
  /// The guest's host key is recorded at the first contact and required from then on. It is
  /// recorded under the instance's name, because another VM may get the port later.
  ///
  /// - Parameters:
  ///   - command: The arguments, which ssh joins with blanks for the guest's shell.
  ///   - options: Options of ssh, placed before qvm's own, so that they win.
  ///   - userOptions: The user's options of ssh, placed after qvm's own. ssh takes the first value of
  ///     an option, so they can't lead the connection elsewhere.
  ///   - retryTime: How long to retry connections that the server closes before login
  ///     (``SSHDialer``); nil to try once.
  ///   - silence: How long the server may say nothing before its greeting, in whole seconds.
  ///   - ignoresSignals: Whether ssh ignores SIGHUP, SIGINT and SIGTERM.
  ///   - route: The connection that ssh uses.
  /// - Returns: The arguments of ``program``.
  package func arguments(
    _ command: [String], options: [String] = [], userOptions: [String] = [],
    retryingFor retryTime: Duration? = nil,
    silence: Duration = .seconds(connectTime),
    ignoresSignals: Bool = false,
    route: Route = .own
  ) -> [String] {
    let stated =
      [
        "HostKeyAlias=\(name)", "UserKnownHostsFile=\(knownHosts)",
        "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=accept-new", "UpdateHostKeys=no",
        "CheckHostIP=no", "ControlMaster=no",
        // A short path, because a socket's path is limited. ssh is in the instance's folder.
        "ControlPath=\(route == .own ? "none" : InstanceFiles.sharedConnectionName)",
        "ConnectTimeout=\(Self.connectTime)", "SendEnv=LANG", "SendEnv=LC_*", "LogLevel=ERROR",
      ] + identities + proxy(retryTime, silence)
    // An emulated guest encrypts by these twice as fast as by ssh's own choice, and compression never
    // pays. The user's options win.
    let preferred = [
      "Ciphers=aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr",
      "Compression=no",
    ]
    // ssh uses `SHELL` to run its proxy. The user's shell may be one that runs nothing.
    let script = #"SHELL=/bin/sh; export SHELL; command cd -- "$0" && exec "$@""#
    return [
      "-c", (ignoresSignals ? "trap '' HUP INT TERM; " : "") + script, folder,
      client,
    ] + (route == .sharing ? ["-M"] : []) + ["-F", "/dev/null", "-p", String(port), "-l", user]
      + options + stated.flatMap { ["-o", $0] } + userOptions + preferred.flatMap { ["-o", $0] }
      + [address]
      + (command.isEmpty ? [] : ["--"] + command)
  }

  /// Whether the login is one by qvm's own key.
  package var hasOwnKey: Bool { key != nil && isImageUser }

  /// The error of an ssh that failed, if the guest's server refuses the user.
  ///
  /// - Parameter messages: What ssh wrote to standard error.
  /// - Returns: The error; nil if ssh failed for another reason.
  func refusal(_ messages: String) -> SSHError? {
    guard messages.contains("Permission denied (") else { return nil }
    return .refused(name: name, user: user, isImageUser: isImageUser)
  }

  /// The options for the keys that ssh offers, if the guest knows qvm's own.
  ///
  /// ssh offers the agent's keys before all files, and a server ends the connection after some keys
  /// that it doesn't know. So for the user who has qvm's key only keys that are named here are offered.
  /// ssh's usual names must be listed, because ssh leaves them out where any is.
  private var identities: [String] {
    guard let key else { return [] }
    return (isImageUser ? ["IdentitiesOnly=yes"] : [])
      + ([plain(key.privateKey, else: "../../\(SSHKeyPair.place)")] + Self.usualKeys)
      .map { "IdentityFile=\($0)" }
  }

  /// The private keys that ssh offers by itself.
  static let usualKeys = ["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk"].map {
    "~/.ssh/id_\($0)"
  }

  /// The options for ssh's connection: made by this executable with retries, if possible.
  private func proxy(_ retryTime: Duration?, _ silence: Duration) -> [String] {
    guard let retryTime, let program = Host.executablePath,
      !program.utf8.contains(where: { $0 < 0x20 })
    else { return ["ProxyCommand=none"] }
    let arguments = SSHDialer.arguments(
      address: address, port: port, silence: silence, retryTime: retryTime)
    return ["ProxyUseFdpass=yes", "ProxyCommand=\(Self.proxyCommand(program, arguments))"]
  }

  /// Quotes a program's path, followed by arguments that need no quotes, for ssh. ssh first expands
  /// percent signs and then runs the text in a shell.
  static func proxyCommand(_ program: String, _ arguments: [String]) -> String {
    let quoted = "'\(program.replacing("'", with: #"'\''"#))'".replacing("%", with: "%%")
    return ([quoted] + arguments).joined(separator: " ")
  }

  /// The file with the host key; ssh shows this name in its messages too.
  private var knownHosts: String {
    plain("\(folder)/\(InstanceFiles.knownHostsName)", else: InstanceFiles.knownHostsName)
  }

  /// A path that is absolute if it has only plain characters, and otherwise relative to the instance's
  /// folder.
  ///
  /// ssh splits a path at blanks and expands `%`, `~` and `${…}` in it, more with each version, and
  /// not all of that can be quoted.
  private func plain(_ path: String, else relative: String) -> String {
    let isPlain = path.utf8.allSatisfy { $0.isASCIIAlphanumeric || "/._-+".utf8.contains($0) }
    return isPlain ? path : relative
  }

  /// The timeout for connecting and key exchange, in seconds. An emulated guest on a busy host is
  /// slow.
  package static let connectTime = 60
}

/// Checks ssh, before a guest is booted for it.
extension GuestSSH {
  static func findClient() throws(SSHError) -> String {
    guard let program = Host.find("ssh") else { throw .noClient }
    return program
  }

  /// Checks that ssh is installed and works for this user.
  ///
  /// ssh fails if the user has no account name, as in a container with an arbitrary uid. ssh itself
  /// is run to find out, because a static program can't look up users in all the places that ssh
  /// does.
  ///
  /// - Throws: ``SSHError``, ``SpawnError``; `CancellationError`.
  package static func checkClient(on loop: EventLoop) async throws {
    let program = try findClient()
    let version = try await Subprocess.run(program, ["-V"], on: loop)
    guard !version.succeeded else { return }
    throw SSHError.clientFails(why: version.problem, user: Host.realUserID)
  }
}
