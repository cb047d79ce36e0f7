internal import Foundation
internal import QMPClient
internal import TestSupport

/// Records the transcripts of `Fixtures/QMP` from a real QEMU: what `make record` runs.
///
/// ```
/// qmp-record QEMU GUESTS OUT [SCENARIO…]
/// ```
///
/// `QEMU` is a `qemu-system-x86_64`, `GUESTS` the folder that `Fixtures/Guests/build.sh` has
/// filled, `OUT` the folder in which the one named after QEMU's version is filled. A scenario that
/// doesn't go as it should leaves its old transcripts as they are.
@main
struct Record {
  static func main() async {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count >= 3 else {
      print("usage: qmp-record QEMU GUESTS OUT [SCENARIO…]")
      exit(64)
    }
    let words = Array(arguments)
    let wanted = Set(words.dropFirst(3))
    let unknown = wanted.subtracting(QMPScenario.all.map(\.name))
    guard unknown.isEmpty else {
      print("no such scenario: \(unknown.sorted().joined(separator: ", "))")
      exit(64)
    }
    var isComplete = true
    for scenario in QMPScenario.all where wanted.isEmpty || wanted.contains(scenario.name) {
      do {
        let version = try await record(scenario, qemu: words[0], guests: words[1], out: words[2])
        report("\(version)/\(scenario.name)")
      } catch {
        report("\(scenario.name): \(error)")
        isComplete = false
      }
    }
    exit(isComplete ? 0 : 1)
  }

  /// Prints a line at once: a recording takes its time.
  private static func report(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  /// Records the transcripts of one scenario; the version of QEMU that they are from.
  private static func record(
    _ scenario: QMPScenario, qemu: String, guests: String, out: String
  ) async throws -> String {
    let machine = try RecordedMachine(scenario, qemu: qemu, guests: guests)
    let watchdog = Task {
      try await Task.sleep(for: .seconds(60))
      machine.kill()
    }
    defer { watchdog.cancel() }
    do { try await scenario.talk(machine) } catch {
      machine.kill()
      throw error
    }
    try await machine.expectEnd()
    return try machine.keepTranscripts(in: out)
  }
}
