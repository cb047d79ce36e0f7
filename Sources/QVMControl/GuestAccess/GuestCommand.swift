internal import QMPClient

/// A command that runs in a guest, and the means to end it there.
///
/// A command keeps running after its connection was closed: ssh forwards no signals, and a server
/// hangs up only commands with a terminal. So the command gets a process group of its own, whose id
/// is in a file as long as it runs. A second connection kills that group.
package struct GuestCommand: Sendable, Hashable {
  /// A unique part of the name of the command's file.
  private let token: String
  package let task: GuestTask
  /// Whether the task needs ``taskFile`` in the guest.
  let needsFile: Bool

  package init(_ task: GuestTask) {
    token = Randomness.hexadecimal(bytes: 8)
    self.task = task
    needsFile =
      task.isScript || LoginShell.line(running: task.script).utf8.count > Self.longestLine
  }

  /// The longest line for a task without a file, in bytes. dropbear ends a connection that asks for more
  /// than 9,000, and what is around the task takes a kilobyte.
  private static let longestLine = 6000

  /// The command's file in the guest.
  package var file: String { "/tmp/.qvm-\(token)" }

  /// The file in the guest that does the task, if that needs one. It must be there before ``line`` runs.
  package var taskFile: String { "\(file)-task" }

  /// What ``taskFile`` contains; nil if the task needs none.
  package var contents: [UInt8]? { needsFile ? task.contents(ofFile: taskFile) : nil }

  /// A script for a POSIX shell that does the task.
  private var script: String { needsFile ? task.running(file: taskFile) : task.script }

  /// In a script: the files to remove at the end. The task's own is there only if it was never run.
  private var files: String { needsFile ? "$f $f-task" : "$f" }

  /// What the file holds once the command has ended.
  private static let over = "over"

  /// The exit status of ``endingLine`` if the command had not started, and won't.
  static let notBegun: Int32 = 3

  /// The command line for ssh. Input, output and exit status are those of the command.
  ///
  /// An OpenSSH server makes each command the leader of a process group; with dropbear, `setsid`
  /// does that. The shell waits for the command, so that a signal shows in the exit status. The
  /// shell's own messages, such as "Terminated", are suppressed.
  ///
  /// Each process takes a noticeable time in an emulated guest, so there are as few as possible: a plain
  /// command needs one more than itself.
  package var line: String {
    if task.hasTerminal { return terminalLine }
    return LoginShell.line(
      running: [
        "f=\(file)",
        "exec 9>&2 2>/dev/null",
        "if [ -z \"$2\" ] || kill -0 -$$; then :; elif command -v setsid >/dev/null; then"
          + " exec setsid \(LoginShell.runningAgain) 2>&9 9>&-; fi",
        "set -C",
        "if echo $$ >$f; then :; elif [ -e $f ]; then rm -f \(files); exit 143; fi",
        "set +C",
        "trap : HUP INT TERM",
        "(\(script)) 2>&9 9>&-",
        "s=$?",
        // From now on the file ends nothing. Its removal is another process, which is not waited for.
        "echo \(Self.over) >$f",
        "rm -f \(files) </dev/null >/dev/null 9>&- &",
        "exit $s",
      ].joined(separator: "; ").replacing("&; ", with: "& "))
  }

  /// The command line for ssh where the guest gives the command a terminal. It ends with that terminal,
  /// so nothing has to remember its process group.
  ///
  /// The shell stays, so that a signal from the keyboard shows in the exit status. A server reports the
  /// end of its own process by a signal in another way, and ssh then exits with 255.
  private var terminalLine: String {
    LoginShell.line(
      running: "f=\(file)\ntrap : HUP INT QUIT TERM\n(\(script))\ns=$?\n"
        + (needsFile ? "rm -f \(files)\n" : "") + "exit $s")
  }

  /// The command line for ssh that ends the command: SIGTERM to its process group, and SIGKILL
  /// after five seconds.
  ///
  /// Its exit status is 0 if the command has ended. A command that has not started finds that its
  /// file exists already, and exits. If it doesn't start soon, the exit status is ``notBegun``.
  package var endingLine: String {
    LoginShell.line(
      running: #"""
        f=\#(file)
        n=0
        if (umask 077; set -C; echo >$f) 2>/dev/null; then
          while [ -e $f ]; do
            if [ $n -ge 10 ]; then rm -f \#(files); exit \#(Self.notBegun); fi
            n=$((n+1))
            sleep 0.2 2>/dev/null || sleep 1
          done
          exit 0
        fi
        g=
        read g <$f
        case $g in
          \#(Self.over)) exit 0 ;;
          ''|*[!0-9]*|0|1) echo "$f doesn't hold the number of a process group" >&2; exit 1 ;;
        esac
        kill -TERM -$g
        while kill -0 -$g 2>/dev/null && [ $n -lt 25 ]; do
          n=$((n+1))
          sleep 0.2 2>/dev/null || sleep 1
        done
        kill -KILL -$g 2>/dev/null
        rm -f \#(files)
        """#)
  }

  /// The command line for ssh that checks whether the command runs: exit status 0 if it does,
  /// ``isOver`` if not.
  var lookingLine: String {
    LoginShell.line(
      running: "g=\(Self.over); [ -e \(file) ] && read g <\(file); "
        + "if [ \"$g\" = \(Self.over) ]; then exit \(Self.isOver); fi")
  }

  /// The exit status of ``lookingLine`` if the command doesn't run.
  static let isOver: Int32 = 3
}

/// Ends a command in the guest, and checks whether it runs.
extension GuestCommand {
  /// The timeout for reaching the guest and ending the command.
  private static let endingTime = Duration.seconds(30)
  /// The timeout of that connection, in seconds.
  private static let connectTime = 10
  /// The timeout of the connection that only checks, in seconds.
  private static let lookingTime = 5

  private static let tries = 3

  enum Ending: Sendable, Hashable {
    case ended
    /// It had not started, and won't.
    case notBegun
    /// Why it could not be ended.
    case notTold(String)
    /// The task was cancelled.
    case cancelled
  }

  /// Ends the command over a connection of its own.
  ///
  /// A signal to the whole job may also end that connection's ssh. Then it is retried.
  func end(by ssh: GuestSSH, on loop: EventLoop) async -> Ending {
    for _ in 0..<Self.tries where !Task.isCancelled {
      do {
        let output = try await run(
          endingLine, by: ssh, connecting: Self.connectTime, within: Self.endingTime, on: loop)
        switch output.end {
        case .exited(0): return .ended
        case .exited(Self.notBegun): return .notBegun
        case .signalled where output.exceeded == nil: continue
        default: return .notTold(output.problem)
        }
      } catch is CancellationError {
        // Also thrown if the user's interrupt ended ssh.
        continue
      } catch {
        return .notTold(error.messageForUser)
      }
    }
    return Task.isCancelled ? .cancelled : .notTold("ssh was ended by a signal")
  }

  enum Looking: Sendable, Hashable {
    case running
    /// It has ended, or never begun.
    case over
    case refused(SSHError)
    /// The guest doesn't answer.
    case unanswered
  }

  /// Looks whether the command still runs although its connection is gone.
  func look(by ssh: GuestSSH, on loop: EventLoop) async -> Looking {
    let output = try? await run(
      lookingLine, by: ssh, connecting: Self.lookingTime, within: .seconds(2 * Self.lookingTime),
      on: loop)
    return switch output?.end {
    case .exited(0): .running
    case .exited(Self.isOver): .over
    default:
      ssh.refusal(String(decoding: output?.standardError ?? [], as: UTF8.self))
        .map { .refused($0) } ?? .unanswered
    }
  }

  private func run(
    _ line: String, by ssh: GuestSSH, connecting seconds: Int, within limit: Duration,
    on loop: EventLoop
  ) async throws -> Subprocess.Output {
    let arguments = ssh.arguments(
      [line], options: ["-o", "BatchMode=yes", "-o", "ConnectTimeout=\(seconds)"],
      retryingFor: .seconds(seconds))
    return try await Subprocess.run(ssh.program, arguments, within: limit, on: loop)
  }
}
