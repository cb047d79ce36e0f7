package import QMPClient

/// How one boot of a VM ended, written as `outcome.json`.
package struct Outcome: Sendable, Hashable {
  package static let schema = 1

  package enum Result: String, Sendable {
    /// The guest powered itself off.
    case clean
    /// Somebody ended QEMU from outside; its disks were flushed, the guest was not asked.
    case forced
    /// The guest was reset, by itself or by a fault, and QEMU was told to end then: what the guest
    /// had to write is not known to be on its disk.
    case reset
    /// QEMU or the guest ended in a way that nobody wanted.
    case crashed
    /// The guest never executed an instruction.
    case failedToStart = "failed-to-start"
    /// It ended in an orderly way while no supervisor was watching.
    case unknown
  }

  /// The boot that ended.
  package var token: String
  package var result: Result
  /// QEMU's own word where there is one, such as `guest-shutdown`; else a few of ours.
  package var reason: String
  /// The last rung of the shutdown that was used; nil if nobody asked for a shutdown.
  package var rung: String?
  /// From the request to the end of QEMU, in seconds; nil if nobody asked for a shutdown.
  package var seconds: Double?
  /// The rungs in the order they were reached.
  package var steps: [Step] = []
  /// How often the button was pressed.
  package var presses = 0
  package var exitStatus: Int32?
  package var signal: Int32?
  /// What QEMU could not read or write, such as `write: Disk quota exceeded`; nil if nothing.
  package var diskError: String?
  /// That the kernel killed QEMU for want of memory; nil where it doesn't say so.
  package var memoryKill: MemoryKill?
  /// Whether QEMU crashed so that a core would have been left, and its limit kept it from that.
  package var isWithoutCore = false
  package var endedAt: Timestamp

  package init(
    token: String, result: Result, reason: String, rung: String? = nil, seconds: Double? = nil,
    exitStatus: Int32? = nil, signal: Int32? = nil, endedAt: Timestamp = .now
  ) {
    self.token = token
    self.result = result
    self.reason = reason
    self.rung = rung
    self.seconds = seconds
    self.exitStatus = exitStatus
    self.signal = signal
    self.endedAt = endedAt
  }

  /// The reason of one whose host was restarted while it ran.
  package static let hostReboot = "host-reboot"

  /// The reason of one that is a copy of an instance whose VM ran.
  package static let copied = "copied-while-running"

  /// The reason of one that was ended since the guest stood still for want of its disk.
  package static let stalledByDisk = "disk-error"

  /// The outcome of a boot that nobody saw the end of, and whose files are gone.
  package static var unobserved: Outcome {
    Outcome(token: "", result: .unknown, reason: "unobserved")
  }

  /// The outcome of a boot whose supervisor was killed before QEMU had answered.
  package static func unfinishedStart(_ boot: BootRecord) -> Outcome {
    Outcome(
      token: boot.token, result: .failedToStart, reason: "supervisor killed during the start")
  }

  /// Whether it is certain that the VM ended in an orderly way: only then may `--rm` remove the
  /// instance. After a kill, by whomever, the disk may be what somebody wants to look at.
  package var isConfirmedShutdown: Bool {
    switch result {
    case .clean, .forced:
      signal == nil && (exitStatus ?? 0) == 0 && isOrderly
    case .unknown: true
    case .reset, .crashed, .failedToStart: false
    }
  }

  /// Whether the cause leaves the disk as the guest, or whoever ended it, meant it to be. A signal that
  /// was no rung of a shutdown is somebody else's, and a power cut to the guest.
  private var isOrderly: Bool {
    switch ShutdownCause(rawValue: reason) {
    case .guestShutdown, .hostQMPQuit: true
    case .hostSignal: rung == ShutdownRung.terminate.name
    default: false
    }
  }

  /// The phase that this outcome leaves the instance in.
  package var phase: Phase {
    switch result {
    case .clean, .forced, .reset, .unknown: .stopped
    case .crashed, .failedToStart: .crashed
    }
  }

  /// The members that `status --json` shows, too.
  package var publicMembers: JSONObject {
    var object: JSONObject = ["result": .string(result.rawValue), "reason": .string(reason)]
    object["rung"] = rung.map(JSONValue.string)
    object["seconds"] = seconds.map { .double(($0 * 1000).rounded() / 1000) }
    if !steps.isEmpty { object["rungs"] = .array(steps.map(\.json)) }
    if presses > 0 { object["presses"] = .integer(Int64(presses)) }
    object["exitStatus"] = exitStatus.map { .integer(Int64($0)) }
    object["signal"] = signal.map { .integer(Int64($0)) }
    object["diskError"] = diskError.map(JSONValue.string)
    object["memoryKill"] = memoryKill.map(\.json)
    if isWithoutCore { object["core"] = .bool(false) }
    object["endedAt"] = .string(endedAt.description)
    return object
  }

  package var json: JSONValue {
    var object: JSONObject = [
      "schema": .integer(Int64(Self.schema)), "boot": .string(token),
    ]
    for member in publicMembers.members { object[member.name] = member.value }
    return .object(object)
  }

  /// Reads how the last boot ended; nil where that isn't recorded.
  ///
  /// - Throws: ``JSONFileError`` for a file that is torn, or from a newer qvm.
  package static func read(_ path: String) throws(JSONFileError) -> Outcome? {
    guard let json = try JSONFile.read(path) else { return nil }
    try json.checkSchema(schema, path)
    return try Outcome(json, path)
  }

  /// Reads an outcome from its JSON; `path` is for the error.
  package init(_ json: JSONValue, _ path: String) throws(JSONFileError) {
    guard let result = Result(rawValue: try json.text("result", path)) else {
      throw .missing(member: "result", path: path)
    }
    guard let endedAt = Timestamp(try json.text("endedAt", path)) else {
      throw .missing(member: "endedAt", path: path)
    }
    self.init(
      token: try json.text("boot", path), result: result, reason: try json.text("reason", path),
      rung: json["rung"]?.string, seconds: json["seconds"]?.double,
      exitStatus: json["exitStatus"]?.int.map(Int32.init(clamping:)),
      signal: json["signal"]?.int.map(Int32.init(clamping:)), endedAt: endedAt)
    steps = json["rungs"]?.array?.compactMap(Step.init) ?? []
    presses = json["presses"]?.int ?? 0
    diskError = json["diskError"]?.string
    memoryKill = MemoryKill(json["memoryKill"])
    isWithoutCore = json["core"]?.bool == false
  }
}
