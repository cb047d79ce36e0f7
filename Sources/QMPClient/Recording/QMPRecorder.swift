internal import Synchronization

/// Writes one conversation with QEMU to a file, as a ``Transcript``, while it takes place.
///
/// Each line is written at once and not kept, so a conversation of days costs no memory. If the
/// file can't be written any longer, the recording ends, ``failure`` says why, and the conversation
/// continues.
public final class QMPRecorder: Sendable {
  /// Why a recording is not complete.
  public enum Failure: Error, Sendable, Hashable {
    /// The file could not be written. It ends with the last whole line.
    case file(SystemError)
    /// A line was longer than this many bytes.
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

  /// Creates the file with mode 0600, or truncates it.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - comments: Comments for the beginning of the file, such as how to record it again.
  /// - Throws: ``SystemError`` if the file can't be created or written.
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

  /// Why the recording stopped before the conversation did; nil if it did not.
  public var failure: Failure? { state.withLock { $0.failure } }

  /// Records what the client sends.
  func sent(_ bytes: [UInt8]) {
    state.withLock { state in
      guard state.isRecording else { return }
      state.client.append(bytes)
      while let line = state.nextLine(\.client) { state.record(.client, line) }
    }
  }

  /// Records what QEMU sends.
  func received(_ bytes: [UInt8]) {
    state.withLock { state in
      guard state.isRecording else { return }
      state.qemu.append(bytes)
      while let line = state.nextLine(\.qemu) { state.record(.qemu, line) }
    }
  }

  /// Records which side hung up; only the first call counts.
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
