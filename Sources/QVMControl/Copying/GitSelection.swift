internal import QMPClient

/// What git would take of a folder: the files that it tracks, those that it doesn't ignore, and its own
/// folder `.git`.
enum GitSelection {
  struct Choice: Sendable {
    /// Nil to take everything.
    var selection: PathSelection?
    /// One sentence for the user; nil if all is as expected.
    var note: String?
  }

  private static let mostOutput = 1 << 28
  /// How deep repositories may lie in each other.
  private static let mostDepth = 20

  /// Asks git.
  ///
  /// - Parameters:
  ///   - folder: An absolute path.
  ///   - loop: The loop that the calling task runs on.
  /// - Returns: A choice without a selection for a folder that is not under git, or is ignored by it.
  /// - Throws: ``SpawnError``, ``LimitError``; `CancellationError`.
  static func find(in folder: String, on loop: EventLoop) async throws -> Choice {
    guard let real = Files.resolved(folder), isUnderGit(real) else { return Choice() }
    guard let git = Host.find("git") else {
      return Choice(note: "git is not installed, so what it would ignore is copied, too")
    }
    let ignored = try await run(
      git, ["check-ignore", "-q", "--", real], in: Files.parent(of: real), on: loop)
    if ignored.end == .exited(0) { return Choice() }
    var paths: [[UInt8]] = []
    if let problem = try await add(real, below: [], to: &paths, git, on: loop, depth: 0) {
      return Choice(note: "git cannot list its files, so all of it is copied: \(problem)")
    }
    var note: String?
    if let own = Files.information("\(real)/.git") {
      paths.append(Array(".git".utf8))
      if own.kind == .file {
        note =
          "it is a worktree or a submodule, whose .git names a folder of this host,"
          + " so git does not work in the copy"
      }
    }
    return Choice(selection: try PathSelection(paths), note: note)
  }

  /// Whether a folder or one that it is in has `.git`, and it isn't in that itself.
  private static func isUnderGit(_ folder: String) -> Bool {
    if folder.split(separator: "/").contains(".git") { return false }
    var place = folder
    while true {
      if Files.exists(place == "/" ? "/.git" : "\(place)/.git") { return true }
      if place == "/" { return false }
      place = Files.parent(of: place)
    }
  }

  /// Adds the files of a repository and of those in it.
  ///
  /// - Returns: Why it could not; nil if it could.
  private static func add(
    _ folder: String, below prefix: [UInt8], to paths: inout [[UInt8]], _ git: String,
    on loop: EventLoop, depth: Int
  ) async throws -> String? {
    let list = try await run(
      git, ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], in: folder, on: loop)
    guard list.succeeded else { return list.problem }
    let handle = try FolderHandle(path: folder)
    for entry in list.standardOutput.split(separator: 0) {
      var path = Array(entry)
      while path.last == UInt8(ascii: "/") { path.removeLast() }
      // What git tracks may have been removed.
      guard let kind = handle.kind(at: path) else { continue }
      let name = String(validating: path, as: UTF8.self)
      if kind == .folder, let name, depth < mostDepth, Files.exists("\(folder)/\(name)/.git") {
        paths.append(prefix + path + Array("/.git".utf8))
        let inner = prefix + path + [UInt8(ascii: "/")]
        let problem = try await add(
          "\(folder)/\(name)", below: inner, to: &paths, git, on: loop, depth: depth + 1)
        if let problem { return problem }
      } else {
        paths.append(prefix + path)
      }
    }
    return nil
  }

  /// Runs git without what the folder could make it run, and without variables that name another one.
  private static func run(
    _ git: String, _ words: [String], in folder: String, on loop: EventLoop
  ) async throws -> Subprocess.Output {
    let kept = ["HOME", "XDG_CONFIG_HOME"].compactMap { name in
      Host.environment(name).map { "\(name)=\($0)" }
    }
    return try await Subprocess.run(
      git, ["-C", folder, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"] + words,
      environment: ToolEnvironment.entries + kept, atMost: mostOutput, within: Subprocess.longTime,
      on: loop)
  }
}

extension FolderHandle {
  /// What is at a path below this folder, without following a link; nil if nothing is.
  func kind(at path: [UInt8]) -> Entry.Kind? {
    let names = path.split(separator: UInt8(ascii: "/")).map(Array.init)
    guard let last = names.last else { return nil }
    var folder = self
    for name in names.dropLast() {
      guard let inner = try? folder.folder(name) else { return nil }
      folder = inner
    }
    return (try? folder.information(last))??.kind
  }
}
