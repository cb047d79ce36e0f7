import QVMControl

/// The program: it parses the arguments, runs the command, and reports every error that the command
/// throws.
///
/// Synchronous on purpose: commands that only look start no thread and no executor.
@main
enum QVM {
  static func main() {
    Host.ensureStandardDescriptors()
    Host.restrictFileModes()
    Signal.prepareProcess()
    ServiceVariables.remove()
    let arguments = CommandLine.arguments
    // Without this check, qvm would print the help and exit with status 0.
    guard !arguments.isEmpty else { fail(.unreadable) }
    if let number = Host.garbledArgument { fail(.garbled(number: number)) }
    let words = Array(arguments.dropFirst())
    if words.first == SupervisorProcess.command {
      Host.exit(SupervisorProcess.run(Array(words.dropFirst())))
    }
    if words.first == SSHDialer.command { Host.exit(SSHDialer.run(Array(words.dropFirst()))) }
    let status =
      words.first == MatrixLink.command
      ? statusOfMatrixRun(words.dropFirst()) : status(of: program.parse(words))
    if status == .interrupted { Signal.dieIfInterrupted() }
    Host.exit(status.rawValue)
  }

  private static func fail(_ error: ArgumentsUnavailable) -> Never {
    Output.report(error)
    Host.exit(error.exitStatus.rawValue)
  }

  /// Runs one target of a matrix, and returns its exit status.
  private static func statusOfMatrixRun(_ words: ArraySlice<String>) -> ExitStatus {
    guard var run = (try? Parser<RunCommand>.parse(words)) ?? nil,
      let link = MatrixLink.inherited()
    else { return .usage }
    run.link = link
    return status(of: .run(run))
  }

  /// Does what a command line asks for, and returns the exit status.
  private static func status(of invocation: Invocation) -> ExitStatus {
    do {
      switch invocation {
      case .print(let text): try Output.show(text)
      case .misuse(let error, let guidance):
        Output.report(error, guidance)
        return error.exitStatus
      case .complete(let completion):
        try Output.print(completion.text)
        // The completion scripts offer file names if this fails.
        return completion.wantsFiles ? .failed : .done
      case .run(let command):
        do { return try command.run() } catch let error as UsageError {
          Output.report(error, program.guidance(for: type(of: command)))
          return error.exitStatus
        }
      }
      return .done
    } catch let failure as any UserFacingError {
      Output.report(failure)
      return failure.exitStatus
    } catch is CancellationError {
      Output.note("qvm: interrupted\n")
      return .interrupted
    } catch {
      Output.note("qvm: \(error)\n")
      return .failed
    }
  }

  static let program = Program(
    name: "qvm", version: "0.0.1",
    summary:
      "Runs FreeBSD, OpenBSD, NetBSD, Haiku and OmniOS in QEMU, and shuts them down cleanly.",
    usage: [
      "qvm run [OPTIONS] <OS> <VERSION>", "qvm list", "qvm config print-path",
      "qvm <command> --help",
    ],
    commands: [
      RunCommand.self, MatrixCommand.self, PullCommand.self, ListCommand.self, StatusCommand.self,
      WaitCommand.self,
      StopCommand.self, StartCommand.self, AttachCommand.self, ConsoleCommand.self,
      LogsCommand.self, ExecCommand.self, SSHCommand.self, SSHConfigCommand.self, CopyCommand.self,
      PortCommand.self, RemoveCommand.self, ImagesCommand.self, VerifyCommand.self,
      PruneCommand.self,
      DoctorCommand.self,
      ConfigPrintPathCommand.self,
      CompletionsCommand.self,
    ],
    sections: { HelpSection.ofProgram },
    instanceNames: {
      (try? Cache.fromEnvironment()).map { InstanceStore($0).names.map(\.text) } ?? []
    },
    meant: meant(by:), instead: Counterparts.sentence(for:))

  /// The command line that replaces a command of other programs; nil if there is none.
  private static func meant(by word: String) -> String? {
    if let line = Counterparts.line(for: word) { return line }
    return switch word {
    case _ where OperatingSystem(word: word) != nil: "qvm run \(word) <VERSION>"
    case _ where NameHint.existing().contains(word): "qvm status \(word)"
    default: nil
    }
  }
}
