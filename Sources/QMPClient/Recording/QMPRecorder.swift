internal import Synchronization

/// Writes one conversation with QEMU into a file, as a ``Transcript``, while it goes on.
///
/// Each line is written as it comes and kept nowhere else, so a conversation of days costs no
/// memory. Where the file can't be written any longer the recording ends, with ``failure`` saying
/// why, and the conversation goes on.
public final class QMPRecorder: Sendable {
  /// Why a recording is not complete.
  public enum Failure: Error, Sendable, Hashable {
    /// The file could not be written; it ends with the last line that could.
    case file(SystemError)
    /// Somebody sent a line of more than this many bytes.
    case lineTooLong(limit: Int)
  }

  fileprivate struct State {
    var file: TranscriptFile
    var client = LineFramer(limit: QMPClient.longestLine)
    var qemu = LineFramer(limit: QMPClient.longestLine)
    var hasHeard = false
    var hasEnded = false
    var failure: Failure?
  }

  private let state: Mutex<State>

  /// Creates the file, or empties the one that is there; for this user only.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - comments: Lines for people at the beginning, such as how to record it again.
  /// - Throws: ``SystemError`` where the file can't be created or written.
  public convenience init(path: String, comments: [String] = []) throws(SystemError) {
    try self.init(try TranscriptFile(path: path), comments: comments)
  }

  init(_ file: TranscriptFile, comments: [String] = []) throws(SystemError) {
    var file = file
    for line in [Transcript.header] + comments.map({ "# \($0)" }) {
      try file.append(Array((line + "\n").utf8))
    }
    state = Mutex(State(file: file))
  }

  /// Why the recording stopped before the conversation did; nil while all is well.
  public var failure: Failure? { state.withLock { $0.failure } }

  /// Takes down what the client sends.
  func sent(_ bytes: [UInt8]) {
    state.withLock { state in
      guard state.isRecording else { return }
      state.client.append(bytes)
      while let line = state.nextLine(\.client) { state.record(.client, line) }
    }
  }

  /// Takes down what QEMU sends.
  func received(_ bytes: [UInt8]) {
    state.withLock { state in
      guard state.isRecording else { return }
      state.qemu.append(bytes)
      while let line = state.nextLine(\.qemu) { state.record(.qemu, line) }
    }
  }

  /// Takes down who ended the conversation; only the first one counts.
  func ended(_ step: Transcript.Step) {
    state.withLock { state in
      guard state.isRecording else { return }
      state.write(Array((step.line + "\n").utf8))
      state.hasEnded = true
    }
  }
}

extension QMPRecorder.State {
  enum Side: String {
    case client = "-> "
    case qemu = "<- "
  }

  var isRecording: Bool { failure == nil && !hasEnded }

  mutating func nextLine(_ framer: WritableKeyPath<Self, LineFramer>) -> [UInt8]? {
    guard isRecording else { return nil }
    do throws(QMPError) { return try self[keyPath: framer].next { Array($0) } } catch {
      failure = .lineTooLong(limit: QMPClient.longestLine)
      return nil
    }
  }

  mutating func record(_ side: Side, _ line: [UInt8]) {
    let scrubbed = Scrubber.scrub(line)
    if side == .qemu, !hasHeard {
      hasHeard = true
      if let greeting = (try? JSONValue(parsing: scrubbed)).flatMap(QMPGreeting.init) {
        write(Array("# QEMU \(greeting.version) \(greeting.version.package)\n".utf8))
      }
    }
    write(Array(side.rawValue.utf8) + scrubbed + [0x0A])
  }

  mutating func write(_ line: [UInt8]) {
    guard isRecording else { return }
    do throws(SystemError) { try file.append(line) } catch { failure = .file(error) }
  }
}
