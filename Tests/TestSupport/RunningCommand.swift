import Foundation
import QMPClient
import QVMControl

/// A command that a test has started and can signal.
package final class RunningCommand: Sendable {
  private let process: ChildProcess
  private let files: (out: String, err: String)

  package var pid: Int32 { process.pid }

  init(
    _ program: URL, _ words: [String], environment: [String: String], in folder: URL
  ) throws {
    let name = folder.appending(path: UUID().uuidString).path
    files = ("\(name).out", "\(name).err")
    process = try ChildProcess(
      .init(
        program.path, words, environment: environment.map { "\($0.key)=\($0.value)" },
        descriptors: [
          nil, try Files.openForOutput(files.out, append: false),
          try Files.openForOutput(files.err, append: false),
        ]))
  }

  package func signal(_ number: Int32) { process.signal(Signal(rawValue: number)) }

  /// What it has printed so far.
  package var output: (out: String, err: String) {
    (Files.text(files.out) ?? "", Files.text(files.err) ?? "")
  }

  /// Waits for its end; kills it after the limit, which then shows as status 137.
  package func end(within limit: Duration = .seconds(60)) async throws -> Sandbox.Output {
    let process = self.process
    let watchdog = Task {
      try await Task.sleep(for: limit)
      process.signal(.kill)
    }
    defer { watchdog.cancel() }
    let status: Int32 =
      switch try await process.ended() {
      case .exited(let status): status
      case .signalled(let signal): 128 + signal
      }
    let (out, err) = output
    return Sandbox.Output(status: status, out: out, err: err)
  }

  /// Runs a program to its end, for what is prepared once for many tests.
  static func runBlocking(_ program: String, _ words: [String]) throws -> ProcessEnd {
    let process = try ChildProcess(.init(program, words))
    let done = DispatchSemaphore(value: 0)
    process.whenEnded { _ in done.signal() }
    done.wait()
    return process.end ?? .exited(-1)
  }
}
