internal import QMPClient

/// A note in the lock's file: what the holder of an instance's locks is about to do.
///
/// A command that holds the locks may download for minutes before its supervisor is there. Until
/// then `boot.json` describes the last boot. The note counts only while the lock is held and its
/// writer runs, so it needs no cleaning up.
struct LockOwner: Sendable, Hashable {
  /// A verb, such as `start`.
  let doing: String
  /// The writer's pid; nil if it belongs to another pid namespace.
  let pid: Int32?
  private let text: String

  /// A note of this process.
  init(doing: String) {
    self.doing = doing
    let own = Host.processID
    pid = own
    let start = Host.startTime(of: own) ?? 0
    text = "\(doing) \(own) \(start)\(Host.pidNamespace.map { " \($0)" } ?? "")\n"
  }

  /// Reads the note of a lock's holder; nil if there is none.
  init?(reading path: String) {
    guard FileLock.isHeld(path), let text = Files.text(path) else { return nil }
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard words.count == 3 || words.count == 4, let pid = Int32(words[1]),
      let start = UInt64(words[2])
    else { return nil }
    let isOwn = words.count == 3 || words[3] == Host.pidNamespace
    // A process of another namespace can't be checked. The lock alone shows that it runs.
    guard !isOwn || Host.startTime(of: pid) == start else { return nil }
    doing = words[0]
    self.pid = isOwn ? pid : nil
    self.text = text
  }

  /// Whether the writer is about to boot a VM.
  var isBoot: Bool { doing == "start" || doing == "run" }

  /// Describes the writer, such as `process 123`.
  var writer: String { Self.writer(pid) }

  /// Describes a writer by its pid; nil for one of another namespace.
  static func writer(_ pid: Int32?) -> String {
    pid.map { "process \($0)" } ?? "a process of another container"
  }

  /// Writes it to the file of a lock. Errors are ignored, as on a full disk.
  func write(into lock: FileLock) { lock.replaceContent(with: text) }
}
