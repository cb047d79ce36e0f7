/// How the ssh program reaches a guest.
package struct GuestSSH: Sendable, Hashable {
  private let client: String
  private let folder: String
  private let name: String
  private let user: String
  private let address: String
  private let port: Int

  /// For a VM that runs.
  ///
  /// - Parameters:
  ///   - name: The instance's name.
  ///   - target: What it is; nil if its record can't be read.
  ///   - boot: The present boot; nil if there is none yet.
  ///   - files: The instance's files, where the guest's host key is kept.
  /// - Throws: ``SSHError`` if there is nothing to reach, or no ssh; ``FileError`` if the file for the
  ///   host key is not the instance's own.
  init(
    _ name: String, _ target: Target?, _ boot: BootRecord?, _ files: InstanceFiles
  ) throws {
    let user = try Self.checkServer(name, target, boot)
    guard let boot else { throw SSHError.starting(name: name) }
    guard let port = boot.sshPort else { throw SSHError.noServer(name: name) }
    client = try Self.findClient()
    // ssh follows a link wherever it leads.
    try Files.checkForOutput(files.knownHosts)
    folder = files.folder
    self.name = name
    self.user = user
    self.port = port
    let address = boot.sshAddress ?? ""
    self.address = ["", "0.0.0.0"].contains(address) ? "127.0.0.1" : address
  }

  /// Makes sure that there is an ssh server to come, if it isn't there yet.
  ///
  /// - Returns: The user whom it lets in.
  static func checkServer(
    _ name: String, _ target: Target?, _ boot: BootRecord?
  ) throws(SSHError) -> String {
    guard let user = target?.operatingSystem.sshUser else { throw .noServer(name: name) }
    if let boot, boot.wasGreeted, boot.sshPort == nil { throw .noServer(name: name) }
    return user
  }

  /// What is started: ssh, by a shell that goes to the instance's folder first, where the file with
  /// the guest's host key is.
  package let program = "/bin/sh"

  /// The arguments for a command, or for the guest's shell without one.
  ///
  /// They say all that matters, and no configuration is read: with the user's own, meant for other
  /// hosts, another VM may answer (a shared connection is found by host and port), or none. The keys
  /// in `~/.ssh` under their usual names and the agent's are offered, as ssh does by itself, to a
  /// guest that lets nobody in without. Nothing watches over a connection that is there: that of a
  /// VM that is paused has to outlive the pause.
  ///
  /// The guest's host key is kept at the first contact, under the instance's name since the port may
  /// be another VM's tomorrow; another key is refused from then on.
  ///
  /// - Parameters:
  ///   - command: Words that ssh joins with blanks for the guest's shell.
  ///   - options: Options of ssh that go before its own.
  ///   - patience: How long connections that the server closes before login are replaced by others
  ///     (``SSHDialer``); nil to try once.
  ///   - ignoresSignals: Whether signals that ask for an end pass ssh by, but SIGQUIT and SIGKILL.
  /// - Returns: Those of ``program``.
  package func arguments(
    _ command: [String], options: [String] = [], insisting patience: Duration? = nil,
    ignoresSignals: Bool = false
  ) -> [String] {
    let stated =
      [
        "HostKeyAlias=\(name)", "UserKnownHostsFile=\(knownHosts)",
        "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=accept-new", "UpdateHostKeys=no",
        "CheckHostIP=no", "ControlMaster=no", "ControlPath=none",
        "ConnectTimeout=\(Self.connectTime)", "SendEnv=LANG", "SendEnv=LC_*", "LogLevel=ERROR",
      ] + proxy(patience)
    // By this shell ssh starts its proxy; the user's may be one that runs nothing.
    let script = #"SHELL=/bin/sh; export SHELL; command cd -- "$0" && exec "$@""#
    return [
      "-c", (ignoresSignals ? "trap '' HUP INT TERM; " : "") + script, folder,
      client, "-F", "/dev/null", "-p", String(port), "-l", user,
    ] + options + stated.flatMap { ["-o", $0] } + [address]
      + (command.isEmpty ? [] : ["--"] + command)
  }

  /// How ssh gets its connection: from this executable, where that can be insisted on.
  private func proxy(_ patience: Duration?) -> [String] {
    guard let patience, let program = Host.executablePath,
      !program.utf8.contains(where: { $0 < 0x20 })
    else { return ["ProxyCommand=none"] }
    let words = SSHDialer.words(
      address: address, port: port, silence: .seconds(Self.connectTime), patience: patience)
    return ["ProxyUseFdpass=yes", "ProxyCommand=\(Self.proxyCommand(program, words))"]
  }

  /// A program in any folder, and words that need no quotes, as ssh takes them: for a shell, and
  /// before that without what ssh replaces, which begins with a percent sign.
  static func proxyCommand(_ program: String, _ words: [String]) -> String {
    let quoted = "'\(program.replacing("'", with: #"'\''"#))'".replacing("%", with: "%%")
    return ([quoted] + words).joined(separator: " ")
  }

  /// The file with the host key, as ssh names it in its messages, too.
  ///
  /// ssh splits a path at blanks and expands `%`, `~` and `${…}` in it, more with each version, and
  /// not all of that can be quoted: a path that has more than letters is left out.
  private var knownHosts: String {
    let plain = folder.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        true
      default: "/._-+".utf8.contains(byte)
      }
    }
    return (plain ? "\(folder)/" : "") + InstanceFiles.knownHostsName
  }

  /// How long connecting and agreeing on keys may take, in seconds; an emulated guest on a busy
  /// machine takes some for it.
  private static let connectTime = 60
}
