internal import QMPClient

/// What the holder of an instance's locks is about to do with it, as it stands in the lock's file.
///
/// From taking the locks to its supervisor's first word a command may download for minutes, while the
/// record of the boot is still the last one's. The note is believed only while the lock is held and
/// the process lives that wrote it: nobody has to clear it.
struct LockOwner: Sendable, Hashable {
  /// A verb, such as `start`.
  let doing: String
  /// The writer's; nil where it belongs to another namespace, and means nobody here.
  let pid: Int32?
  private let text: String

  /// One of this process.
  init(doing: String) {
    self.doing = doing
    let own = Host.processID
    pid = own
    let start = Host.startTime(of: own) ?? 0
    text = "\(doing) \(own) \(start)\(Host.pidNamespace.map { " \($0)" } ?? "")\n"
  }

  /// The note of whoever holds a lock; nil where there is none.
  init?(reading path: String) {
    guard FileLock.isHeld(path), let text = Files.text(path) else { return nil }
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard words.count == 3 || words.count == 4, let pid = Int32(words[1]),
      let start = UInt64(words[2])
    else { return nil }
    let isOwn = words.count == 3 || words[3] == Host.pidNamespace
    // Of a process that can't be seen the lock alone tells that it lives.
    guard !isOwn || Host.startTime(of: pid) == start else { return nil }
    doing = words[0]
    self.pid = isOwn ? pid : nil
    self.text = text
  }

  /// Whether a VM will come of it.
  var isBoot: Bool { doing == "start" || doing == "run" }

  /// Who has written it, such as `process 123`.
  var writer: String { Self.writer(pid) }

  /// The same for a pid, or nil for one of another namespace.
  static func writer(_ pid: Int32?) -> String {
    pid.map { "process \($0)" } ?? "a process of another container"
  }

  /// Writes it into the file of a lock; where that fails, as on a full disk, others know less.
  func write(into lock: FileLock) { lock.replaceContent(with: text) }
}
