/// One conversation with QEMU as a value: lines in, actions out, no I/O and no waiting.
struct QMPSession {
  /// What the connection must do about a line.
  enum Action: Equatable {
    case greeting(QMPGreeting)
    case reply(id: Int, Result<JSONValue, QMPError>)
    case event(QMPEvent)
    /// Nothing: a late reply that no caller waits for, an unknown message, an empty line.
    case ignored
  }

  /// A command that QEMU has not answered yet.
  private struct Outstanding {
    let command: String
    /// Whether the caller has stopped waiting.
    var isAbandoned = false
  }

  private(set) var greeting: QMPGreeting?
  /// Whether the negotiation has enabled out-of-band execution.
  var isOutOfBandEnabled = false
  private var outstanding: [Int: Outstanding] = [:]
  private var nextID = 1

  /// An unused id for a command.
  mutating func newID() -> Int {
    defer { nextID += 1 }
    return nextID
  }

  /// The bytes of a command, minified, with an id of ``newID()``. Out-of-band commands, which
  /// overtake queued ones, are sent as such only if that is enabled.
  mutating func send(
    _ command: String, _ arguments: JSONObject, id: Int, outOfBand: Bool = false
  ) -> [UInt8] {
    outstanding[id] = Outstanding(command: command)
    let verb = outOfBand && isOutOfBandEnabled ? #"{"exec-oob":"# : #"{"execute":"#
    var bytes: [UInt8] = []
    bytes.reserveCapacity(64)
    bytes.append(contentsOf: verb.utf8)
    JSONValue.write(command, to: &bytes)
    if !arguments.isEmpty {
      bytes.append(contentsOf: #","arguments":"#.utf8)
      arguments.write(to: &bytes)
    }
    bytes.append(contentsOf: #","id":"#.utf8)
    bytes.append(contentsOf: id.description.utf8)
    bytes.append(contentsOf: "}\n".utf8)
    return bytes
  }

  /// Stops waiting for a reply. A late reply is ignored.
  mutating func abandon(_ id: Int) { outstanding[id]?.isAbandoned = true }

  /// Reads one line.
  ///
  /// - Throws: `notQMP` for a line that is not a JSON object, for a greeting without a version, and
  ///   for an error without an id that can't be matched to one command.
  mutating func receive(_ line: UnsafeBufferPointer<UInt8>) throws(QMPError) -> Action {
    if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return .ignored }
    guard let message = try? JSONValue(parsing: line), case .object(let members) = message else {
      throw .notQMP(line: Self.beginning(of: line))
    }
    // Old versions sent events before the greeting. Only the greeting starts the conversation.
    if greeting == nil {
      if members["QMP"] == nil { return .ignored }
      guard let greeting = QMPGreeting(message) else {
        throw .notQMP(line: Self.beginning(of: line))
      }
      self.greeting = greeting
      return .greeting(greeting)
    }
    if let event = QMPEvent(message) { return .event(event) }
    if let result = members["return"] { return answer(members["id"], .success(result)) }
    if let error = members["error"] { return try refusal(error, id: members["id"], line: line) }
    return .ignored
  }

  /// Matches an answer to its command. Unknown ids are ignored, as the protocol's specification
  /// requires.
  private mutating func answer(
    _ id: JSONValue?, _ result: @autoclosure () -> Result<JSONValue, QMPError>
  ) -> Action {
    guard let id = id?.int, let owner = outstanding.removeValue(forKey: id), !owner.isAbandoned
    else { return .ignored }
    return .reply(id: id, result())
  }

  private mutating func refusal(
    _ error: JSONValue, id: JSONValue?, line: UnsafeBufferPointer<UInt8>
  ) throws(QMPError) -> Action {
    var id = id
    if id == nil {
      // QEMU could not read the id. If one command is outstanding, the error belongs to it.
      guard outstanding.count == 1, let only = outstanding.first else {
        throw .notQMP(line: Self.beginning(of: line))
      }
      id = .integer(Int64(only.key))
    }
    let command = id?.int.flatMap { outstanding[$0]?.command } ?? ""
    return answer(
      id,
      .failure(
        .refused(
          command: command, errorClass: error["class"]?.string ?? "",
          description: error["desc"]?.string ?? "")))
  }

  private static func beginning(of line: UnsafeBufferPointer<UInt8>) -> String {
    String(decoding: line.prefix(120), as: UTF8.self)
  }
}
