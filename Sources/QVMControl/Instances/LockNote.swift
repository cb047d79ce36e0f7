internal import QMPClient

/// What the holder of an instance's locks is about to do with it, as it stands in the lock's file.
///
/// From taking the locks to its supervisor's first word a command may download for minutes, while the
/// record of the boot is still the last one's. The note is believed only while the lock is held and
/// the process lives that wrote it: nobody has to clear it.
struct LockNote: Sendable, Hashable {
  /// A verb, such as `start`.
  let doing: String
  let pid: Int32
  private let start: UInt64

  /// One of this process.
  init(doing: String) {
    self.doing = doing
    pid = Host.processID
    start = Host.startTime(of: pid) ?? 0
  }

  /// The note of whoever holds a lock; nil where there is none.
  init?(reading path: String) {
    guard FileLock.isHeld(path),
      let words = Files.text(path)?.split(whereSeparator: \.isWhitespace), words.count == 3,
      let pid = Int32(words[1]), let start = UInt64(words[2]),
      Host.startTime(of: pid) == start
    else { return nil }
    (doing, self.pid, self.start) = (String(words[0]), pid, start)
  }

  /// Whether a VM will come of it.
  var isBoot: Bool { doing == "start" || doing == "run" }

  /// Writes it into the file of a lock; where that fails, as on a full disk, others know less.
  func write(into lock: FileLock) { lock.replaceContent(with: "\(doing) \(pid) \(start)\n") }
}
