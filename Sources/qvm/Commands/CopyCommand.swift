import QMPClient
import QVMControl

struct CopyCommand: Command {
  static let name = "cp"
  static let summary = "Copy files and folders into a guest, or out of it."
  static let discussion: String? = """
    One side is NAME:PATH, or USER@NAME:PATH. PATH is absolute, or begins at the home of the user who
    logs in; it may be a pattern if it is a source. The other side is a path of this host:

      qvm cp src Makefile box:project/
      qvm cp box:project/report.txt 'box:/var/log/*.log' .

    This is 'cp -R': if DST is a folder, the copies are put into it; otherwise DST is the copy. 'folder/.'
    is what is in a folder. Links are copied as links, unless they end with a slash. Modes and times
    are kept. A file gets its name when it is whole, on both sides. In the guest, files belong to the user
    that logs in; on this host, to you.

    Of a folder under git, what git would take is copied into the guest: no files that it ignores, but
    its own .git. --all copies everything.

    qvm waits until the guest is ready. The guest needs a tar. The exit status is 1 if anything is
    missing in the copy or changed while it was read, and each such file is named.
    """
  static let parameters: [Parameter<Self>] = [
    .arguments("SRC… DST", "What to copy, and where to.", completing: .files) {
      $0.paths.append($1)
    },
    .option(
      "--exclude", "PATTERN",
      "Leave out what fits PATTERN, such as '*.o' or 'docs/*.pdf'. May be given several times."
    ) { $0.excluded.append($1) },
    .flag("--all", short: "-a", "Copy what git ignores, too.") { $0.takesAll = true },
    .flag("--special-bits", "Keep setuid, setgid and sticky bits of what comes from the guest.") {
      $0.keepsSpecialBits = true
    },
    .option(
      "--user", short: "-u", "USER", "Log in as the guest's USER (default: that of the image)."
    ) { $0.user = $1 },
    .flag("--quiet", short: "-q", "Print only errors.") { $0.isQuiet = true },
    .flag("-r", "Accepted for users of other programs: folders are always copied. So is -R.") { _ in
    },
    .flag("-R", "See -r.") { _ in },
    .option(
      "--ready-timeout", "SECONDS", "How long the guest may take to become ready (default: 900)."
    ) { (command: inout Self, time: Seconds) in command.readyTimeout = time.count },
  ]

  var paths: [String] = []
  var excluded: [String] = []
  var takesAll = false
  var keepsSpecialBits = false
  var user: String?
  var isQuiet = false
  var readyTimeout: Int?

  func run() throws -> ExitStatus {
    guard paths.count > 1, let last = paths.last else {
      throw UsageError.missingArgument(
        placeholder: "DST", advice: "Such as 'qvm cp FILE box:' or 'qvm cp box:FILE .'.")
    }
    let sources = try paths.dropLast().map { try Place($0) }
    let target = try Place(last)
    if let empty = paths.first(where: \.isEmpty) {
      throw UsageError.badValue(parameter: "<SRC… DST>", word: empty, expected: "a path")
    }
    let excluded = excluded.map(FilePattern.init)
    switch target {
    case .guest(let guest, let path):
      let sources = try sources.map { source in
        guard case .host(let path) = source else { throw CopyUsage.betweenGuests }
        return try HostSource(path, excluding: excluded)
      }
      return try copy(guest) { transfer in
        var chosen = sources
        if !takesAll {
          for index in chosen.indices { try await chosen[index].selectByGit(on: transfer.loop) }
        }
        return try await CopyIntoGuest(chosen, to: path, by: transfer).run()
      }
    case .host(let target):
      var guest: Guest?
      let paths = try sources.map { source in
        guard case .guest(let other, let path) = source else { throw CopyUsage.onHost }
        if let guest, guest != other { throw CopyUsage.severalGuests }
        guest = other
        return path
      }
      guard let guest else { throw CopyUsage.onHost }
      // Checked before the guest is waited for.
      try CopyFromGuest.check(paths, to: target)
      return try copy(guest) { transfer in
        var copy = try CopyFromGuest(paths, to: target, by: transfer)
        copy.excluded = excluded
        copy.keepsSpecialBits = keepsSpecialBits
        return try await copy.run()
      }
    }
  }

  /// Waits until the guest is ready, copies, and reports.
  private func copy(
    _ guest: Guest, _ body: @escaping @Sendable (GuestTransfer) async throws -> CopyReport
  ) throws -> ExitStatus {
    let login = try GuestLogin(guest.name, as: user ?? guest.user, readyTimeout: readyTimeout)
    let label =
      paths.count == 2
      ? "\(paths[0]) → \(paths[1])" : "\(paths.count - 1) sources → \(paths[paths.count - 1])"
    let display = Terminal.isTerminal(2) && !isQuiet ? ProgressDisplay(of: .copy) : nil
    let answer = try Interruptible.run { loop in
      try await Self.copy(guest.name, login, label, display, on: loop, body)
    }
    switch answer {
    case .status(let status): return status
    case .report(let report):
      for line in report.lines(isQuiet: isQuiet) { Output.note("qvm: \(line)\n") }
      return report.isComplete ? .done : .failed
    }
  }

  private static func copy(
    _ name: String, _ login: GuestLogin, _ label: String, _ display: ProgressDisplay?,
    on loop: EventLoop, _ body: @Sendable (GuestTransfer) async throws -> CopyReport
  ) async throws -> Answer {
    let ssh: GuestSSH
    let left: Duration
    switch try await login.reach(on: loop) {
    case .notReady(let status): return .status(status)
    case .ready(let client, let time): (ssh, left) = (client, time)
    }
    var transfer = GuestTransfer(name, by: ssh, loginTimeout: left, on: loop)
    if let display {
      transfer.progress = { display.take(.advanced(to: $0), of: label, at: .now) }
    }
    let settled = transfer
    display?.take(.began(done: 0, total: nil), of: label, at: .now)
    do {
      let report = try await login.explaining(on: loop) { try await body(settled) }
      display?.take(.advanced(to: report.bytes), of: label, at: .now)
      display?.take(.ended(complete: report.isComplete), of: label, at: .now)
      return .report(report)
    } catch {
      display?.take(.ended(complete: false), of: label, at: .now)
      throw error
    }
  }

  private enum Answer: Sendable {
    case status(ExitStatus)
    case report(CopyReport)
  }

  /// An instance, and the user to log in as.
  private struct Guest: Equatable, Sendable {
    let name: String
    let user: String?
  }

  /// A path on one of the two sides.
  private enum Place {
    case host(String)
    case guest(Guest, GuestPath)

    /// A colon before any slash is the end of an instance's name, as in scp.
    init(_ word: String) throws {
      let head = word.prefix { $0 != ":" && $0 != "/" }
      guard head.count < word.count, word[head.endIndex] == ":", !head.isEmpty else {
        self = .host(word)
        return
      }
      let at = head.lastIndex(of: "@")
      let name = at.map { head[head.index(after: $0)...] } ?? head
      let user = at.map { String(head[..<$0]) }
      self = .guest(
        Guest(name: String(name), user: user),
        GuestPath(String(word[word.index(after: head.endIndex)...])))
    }
  }
}

/// A copy that isn't between this host and one guest.
enum CopyUsage: UserFacingError, Equatable {
  case onHost
  case betweenGuests
  case severalGuests

  var message: String {
    switch self {
    case .onHost: "one side of the copy must be in a guest: NAME:PATH"
    case .betweenGuests: "both sides of the copy are in a guest"
    case .severalGuests: "the sources are in several guests"
    }
  }

  var advice: String? {
    switch self {
    case .onHost: "Such as 'qvm cp FILE box:' or 'qvm cp box:FILE .'. 'qvm list' shows the names."
    case .betweenGuests: "Copy to this host first. A file here whose name has a colon is './a:b'."
    case .severalGuests: "Copy from one after the other."
    }
  }

  var exitStatus: ExitStatus { .usage }
}
