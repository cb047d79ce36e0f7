internal import Foundation
internal import QMPClient
internal import Synchronization
internal import TestSupport

/// A real virtual machine whose monitors are recorded.
final class RecordedMachine: QMPScenarioHost {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  let timeout: Duration = .seconds(1)
  private let scenario: QMPScenario
  private let folder: TemporaryFolder
  private let console = Mailbox<String>()
  private let ended = Mailbox<Int32>()
  private let process: Mutex<Process>
  private let recorders = Mutex<[QMPRecorder]>([])
  private let heard = Mutex("")

  init(_ scenario: QMPScenario, qemu: String, guests: String) throws {
    self.scenario = scenario
    folder = try TemporaryFolder()
    let process = Process()
    let command = Self.command(scenario, qemu: qemu, guests: guests, folder: folder.path)
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    let output = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    let (console, ended) = (console, ended)
    let reader = output.fileHandleForReading
    let isReading = startThread {
      while case let data = reader.availableData, !data.isEmpty {
        console.send(String(decoding: data, as: UTF8.self))
      }
      console.finish()
    }
    guard isReading else { throw Failure(description: "no thread for the console") }
    process.terminationHandler = { process in
      ended.send(process.terminationReason == .exit ? process.terminationStatus : -1)
    }
    // Threads of the pool block signals, and QEMU would inherit that.
    var noSignal = sigset_t()
    sigemptyset(&noSignal)
    pthread_sigmask(SIG_SETMASK, &noSignal, nil)
    try process.run()
    self.process = Mutex(process)
  }

  // MARK: - The command

  private static func command(
    _ scenario: QMPScenario, qemu: String, guests: String, folder: String
  ) -> [String] {
    let image = "\(guests)/\(scenario.guest).img"
    let disk =
      scenario.hasSmallDisk
      ? "file=\(folder)/small/disk.qcow2,format=qcow2" : "file=\(image),format=raw,readonly=on"
    var command = [
      qemu, "-nodefaults", "-machine", "q35,accel=tcg", "-smp", "2", "-m", "64M",
      "-display", "none", "-vga", "std", "-S", "-serial", "stdio",
      "-drive", "if=none,id=drive0,\(disk)", "-device", "virtio-blk-pci,drive=drive0,bootindex=0",
    ]
    for monitor in scenario.monitors {
      command += [
        "-chardev", "socket,id=\(monitor),path=\(folder)/\(monitor).sock,server=on,wait=off",
        "-mon", "chardev=\(monitor),mode=control",
      ]
    }
    command += scenario.arguments
    guard scenario.hasSmallDisk else { return command }
    // A file system of its own, which only QEMU sees; the filler leaves it 4 MiB.
    let script = """
      set -e; small=$1; image=$2; shift 2; mkdir "$small"
      mount -t tmpfs -o size=100m none "$small"
      head -c 96M /dev/zero > "$small/filler"
      qemu-img create -q -f qcow2 -b "$image" -F raw "$small/disk.qcow2" 2>&1
      exec "$@"
      """
    return ["/usr/bin/unshare", "-rm", "sh", "-c", script, "sh", "\(folder)/small", image] + command
  }

  // MARK: - What a scenario may do

  func transport(to monitor: String) async throws -> any QMPTransport {
    let path = "\(folder.path)/\(monitor).sock"
    let deadline = ContinuousClock.now.advanced(by: .seconds(20))
    while true {
      do {
        let transport = try SocketTransport(path: path)
        return RecordingTransport(wrapping: transport, to: try newRecorder())
      } catch  where ContinuousClock.now < deadline && process.withLock({ $0.isRunning }) {
        try await Task.sleep(for: .milliseconds(10))
      }
    }
  }

  private func newRecorder() throws -> QMPRecorder {
    try recorders.withLock { recorders in
      let recorder = try QMPRecorder(
        path: "\(folder.path)/\(scenario.file(recorders.count + 1))",
        comments: [scenario.summary, "recorded by 'make record', scenario '\(scenario.name)'"])
      recorders.append(recorder)
      return recorder
    }
  }

  func awaitConsole(_ text: String) async throws {
    while true {
      let isThere = heard.withLock { heard -> Bool in
        guard let range = heard.range(of: text) else { return false }
        heard.removeSubrange(..<range.upperBound)
        return true
      }
      if isThere { return }
      guard let piece = await console.next() else {
        throw Failure(description: "the console ended before '\(text)'")
      }
      heard.withLock { $0 += piece }
    }
  }

  func terminate() { process.withLock { $0.terminate() } }

  func makeRoom() throws {
    // Through the process, since no other process sees its file system.
    let identifier = process.withLock { $0.processIdentifier }
    try FileManager.default.removeItem(
      atPath: "/proc/\(identifier)/root\(folder.path)/small/filler")
  }

  // MARK: - The end

  /// Ends QEMU at once.
  func kill() { Foundation.kill(process.withLock { $0.processIdentifier }, SIGKILL) }

  /// Waits until QEMU has ended, with the status 0.
  func expectEnd() async throws {
    let status = await ended.next()
    guard status == 0 else {
      throw Failure(description: "QEMU ended with \(String(describing: status))")
    }
  }

  /// Moves the transcripts to where they belong; the version of QEMU that they are from.
  func keepTranscripts(in out: String) throws -> String {
    let recorders = recorders.withLock { $0 }
    guard recorders.count == scenario.connections else {
      throw Failure(description: "\(recorders.count) connections")
    }
    if let failure = recorders.compactMap(\.failure).first { throw failure }
    let first = try String(contentsOfFile: "\(folder.path)/\(scenario.file(1))", encoding: .utf8)
    let transcript = try Transcript(parsing: first, name: scenario.file(1))
    // The recorder's own comment, from the greeting: `QEMU 7.2.22 Debian…`.
    let words = transcript.comments.map { $0.split(separator: " ") }
    guard let number = words.last(where: { $0.first == "QEMU" && $0.count > 1 })?[1] else {
      throw Failure(description: "no version")
    }
    let version = number.split(separator: ".").prefix(2).joined(separator: ".")
    let destination = "\(out)/\(version)"
    try FileManager.default.createDirectory(
      atPath: destination, withIntermediateDirectories: true)
    for connection in 1...scenario.connections {
      let name = scenario.file(connection)
      let text = try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
      try text.write(toFile: "\(destination)/\(name)", atomically: true, encoding: .utf8)
    }
    return version
  }
}
