import Foundation
import TestSupport
import Testing

@testable import QVMControl

/// What shells make of the lines that a guest gets, run here in the guest's place.
@Suite(.timeLimit(.minutes(5))) struct GuestCommandLineTests {
  /// Those that are installed here of what users have in guests.
  private static let shells = [
    "sh", "dash", "bash", "zsh", "ksh", "mksh", "ksh93", "yash", "tcsh", "csh", "fish",
  ].compactMap(Host.find)
  /// A server of OpenSSH makes each command the leader of a group; dropbear leaves that to `setsid`.
  private static let leads = Host.find("setsid") == nil ? [true] : [true, false]

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Starts what a server starts for a line; its output goes to a file, `out` where none is named.
  private func start(
    _ line: String, by shell: String = "/bin/sh", loginShell: String = "/bin/sh",
    input: String? = nil, output: String = "out", leads: Bool = true
  ) throws -> ChildProcess {
    let output = try Files.openForOutput("\(folder.path)/\(output)", append: false)
    return try ChildProcess(
      .init(
        shell, ["-c", line],
        environment: Host.environment.filter { !$0.hasPrefix("SHELL=") } + ["SHELL=\(loginShell)"],
        descriptors: [try input.map(Files.openForReading), output, output], ownSession: leads))
  }

  private var output: String { Files.text("\(folder.path)/out") ?? "" }

  private var group: Int32 {
    get throws {
      let line = output.split(separator: "\n").first ?? ""
      return try #require(Int32(line.trimmingCharacters(in: .whitespaces)), "\(line)")
    }
  }

  /// Whether a process is left of the group whose number a command has printed first.
  private func isGroupLeft() throws -> Bool {
    kill(-(try group), 0) == 0
  }

  @Test(arguments: shells, [true, false])
  func `a command reaches the login shell as it is, and its input and status are its own`(
    shell: String, leads: Bool
  ) async throws {
    let text =
      "it's !! !x \\n \\\\ %s%% $HOME `x` \"q\" \t* ~ # é \u{1F600}\nand\n\nmore ; {a,b} <>&|"
    let login = "\(folder.path)/login"
    try Files.write(Array("#!/bin/sh\nprintf %s \"$2\"\ncat\nexit 7\n".utf8), to: login)
    try Files.setMode(0o700, of: login)
    let bytes = Array(repeating: Array(UInt8.min ... .max), count: 500).flatMap(\.self)
    try Files.write(bytes, to: "\(folder.path)/in")
    let command = GuestCommand(GuestTask(text.components(separatedBy: " "), .line))
    let process = try start(
      command.line, by: shell, loginShell: login, input: "\(folder.path)/in", leads: leads)
    #expect(try await process.ended() == .exited(7))
    #expect(try Files.read("\(folder.path)/out") == Array(text.utf8) + bytes)
    try await eventually("its file is gone") { !Files.exists(command.file) }
  }

  @Test(arguments: shells, [true, false])
  func `exact words, variables and a folder arrive as they are, whatever the login shell is`(
    shell: String, leads: Bool
  ) async throws {
    let odd = "it's !! !x \\n \\ %s%% $HOME `x` \"q\" \t* ~ # é \u{1F600}\nand\n\n"
    let words = [odd, "", "-n", "a  b", "{a,b}", "<>&|;", "\n", "$(id)", "!!", ""]
    let folder = "\(folder.path)/it's a\n'folder"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    let program = "\(folder)/show 'me"
    let script = "#!/bin/sh\nprintf '%s\\0' \"$@\" \"$QVM_ODD\" \"$(pwd)\"\ncat\nexit 7\n"
    try Files.write(Array(script.utf8), to: program)
    try Files.setMode(0o700, of: program)
    try Files.write([0, 1, 255], to: "\(self.folder.path)/in")
    var task = GuestTask(["./show 'me"] + words, .exact)
    task.environment = [EnvironmentVariable(name: "QVM_ODD", value: odd)]
    task.folder = folder
    let process = try start(
      GuestCommand(task).line, by: shell, loginShell: "/bin/false",
      input: "\(self.folder.path)/in", leads: leads)
    #expect(try await process.ended() == .exited(7))
    var expected: [UInt8] = []
    for text in words + [odd, folder] { expected += Array(text.utf8) + [0] }
    #expect(try Files.read("\(self.folder.path)/out") == expected + [0, 1, 255])
  }

  @Test
  func `one exact word is a line for the shell, and a program that is missing has its status`()
    async throws
  {
    let line = try start(GuestCommand(GuestTask(["echo a; exit 3"], .exact)).line)
    #expect(try await line.ended() == .exited(3))
    #expect(output == "a\n")
    let missing = try start(GuestCommand(GuestTask(["qvm-no-such", "x"], .exact)).line)
    #expect(try await missing.ended() == .exited(127))
    let folder = try start(GuestCommand(GuestTask([folder.path, "x"], .exact)).line)
    #expect(try await folder.ended() == .exited(126))
    var elsewhere = GuestTask(["true", "x"], .exact)
    elsewhere.folder = "/qvm/no/such"
    let lost = try start(GuestCommand(elsewhere).line)
    #expect(try await lost.ended() == .exited(126))
  }

  @Test(arguments: shells)
  func `a task that is too long for a line, or a script, runs from a file that is gone at once`(
    shell: String
  ) async throws {
    let odd = "it's !! \n \\ %s $HOME \"é\"\n"
    try Files.write([0, 1, 255], to: "\(folder.path)/in")
    let long = String(repeating: odd, count: 1000)
    let words = ["/bin/sh", "-c", "printf %s \"$1\"; ls -d \"$0\"-*; cat; exit 7"]
    let place = GuestCommand(GuestTask([], .script([]))).file
    let command = GuestCommand(GuestTask(words + [place, long], .exact))
    #expect(command.line.utf8.count < 3000)
    try Files.write(try #require(command.contents), to: command.taskFile)
    let process = try start(command.line, by: shell, input: "\(folder.path)/in")
    #expect(try await process.ended() == .exited(7))
    let bytes = try Files.read("\(folder.path)/out")
    #expect(bytes.starts(with: Array(long.utf8)) && bytes.suffix(3) == [0, 1, 255])
    #expect(!Files.exists(command.taskFile))

    var script = GuestTask(
      [odd, ""], .script(Array("#!/bin/sh\nprintf '<%s>' \"$@\"; false\nexit 3".utf8)))
    script.environment = [EnvironmentVariable(name: "QVM_ODD", value: odd)]
    let lines = GuestCommand(script)
    try Files.write(try #require(lines.contents), to: lines.taskFile)
    #expect(try await start(lines.line, by: shell).ended() == .exited(1))
    #expect(output == "<\(odd)><>")
    #expect(!Files.exists(lines.taskFile))
    #expect(GuestCommand(GuestTask(["true"], .exact)).contents == nil)
  }

  @Test func `a task's file is removed if the command is ended before it begins`() async throws {
    let command = GuestCommand(GuestTask([], .script(Array("if\n".utf8))))
    try Files.write(try #require(command.contents), to: command.taskFile)
    #expect(try await start(command.endingLine).ended() == .exited(GuestCommand.notBegun))
    #expect(!Files.exists(command.taskFile))
    // What the shell can't read removes nothing itself.
    try Files.write(try #require(command.contents), to: command.taskFile)
    #expect(try await start(command.line).ended() != .exited(0))
    try await eventually("its files are gone") {
      !Files.exists(command.taskFile) && !Files.exists(command.file)
    }
  }

  @Test func `a signal that ends a command shows in the status alone`() async throws {
    let process = try start(GuestCommand(GuestTask(["kill -9 $$"], .line)).line)
    #expect(try await process.ended() == .exited(137))
    #expect(output == "")
  }

  @Test(arguments: shells, leads)
  func `a command is ended with its group, and nothing is left`(
    shell: String, leads: Bool
  ) async throws {
    let command = GuestCommand(
      GuestTask(["ps -o pgid= -p $$; sleep 300 & sleep 300; echo on"], .line))
    let process = try start(command.line, leads: leads)
    try await eventually("it runs") { output.hasSuffix("\n") }
    let ending = try start(command.endingLine, by: shell, output: "ending")
    #expect(try await ending.ended() == .exited(0))
    #expect(try await process.ended() == .exited(143))
    try await eventually("the group is gone") { try !isGroupLeft() }
    #expect(!Files.exists(command.file))
  }

  @Test func `what ignores SIGTERM is killed, and what a command does with it decides`()
    async throws
  {
    let stubborn = GuestCommand(
      GuestTask(["ps -o pgid= -p $$; (trap '' TERM; sleep 300) & exit 4"], .line))
    let process = try start(stubborn.line)
    _ = try await process.ended()
    // What it has left in the background isn't ended by a late signal.
    let late = try await start(stubborn.endingLine, output: "ending").ended()
    #expect([.exited(0), .exited(GuestCommand.notBegun)].contains(late), "\(late)")
    #expect(try isGroupLeft())
    try await eventually("its file is gone") { !Files.exists(stubborn.file) }
    _ = kill(-(try group), SIGKILL)

    let deaf = GuestCommand(
      GuestTask(["ps -o pgid= -p $$; trap '' TERM; while :; do sleep 1; done"], .line))
    let second = try start(deaf.line)
    try await eventually("it runs") { output.hasSuffix("\n") }
    #expect(try await start(deaf.endingLine, output: "ending").ended() == .exited(0))
    // With the shell that would have told.
    let end = try await second.ended()
    #expect([.signalled(SIGKILL), .exited(137)].contains(end), "\(end)")
    try await eventually("the group is gone") { try !isGroupLeft() }
    #expect(!Files.exists(deaf.file))
  }

  @Test func `a command that has not begun when it is to end won't begin`() async throws {
    let late = GuestCommand(GuestTask(["echo begun"], .line))
    try Files.write(Array(late.endingLine.utf8), to: "\(folder.path)/end")
    try Files.write(Array(late.line.utf8), to: "\(folder.path)/begin")
    // By one shell, since the file is kept for two seconds only.
    let both = try start(
      """
      cd '\(folder.path)'
      sh end & while ! [ -e \(late.file) ]; do :; done
      sh begin; echo $?; wait $!; echo $?
      """)
    #expect(try await both.ended() == .exited(0))
    #expect(output == "143\n0\n")
    let never = GuestCommand(GuestTask(["echo begun"], .line))
    #expect(try await start(never.endingLine).ended() == .exited(GuestCommand.notBegun))
    #expect(!Files.exists(never.file) && !Files.exists(late.file))
  }

  @Test func `a command that runs is told apart from one that doesn't`() async throws {
    let command = GuestCommand(GuestTask(["echo; sleep 300"], .line))
    #expect(
      try await start(command.lookingLine, output: "looking").ended()
        == .exited(GuestCommand.isOver))
    let process = try start(command.line)
    try await eventually("it runs") { output == "\n" }
    #expect(try await start(command.lookingLine, output: "looking").ended() == .exited(0))
    #expect(try await start(command.endingLine, output: "ending").ended() == .exited(0))
    _ = try await process.ended()
  }
}
