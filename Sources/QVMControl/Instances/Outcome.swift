package import QMPClient

/// How one boot of an instance ended. Written as `outcome.json`.
package struct Outcome: Sendable, Hashable {
  package enum Ending: String, Sendable, RecordValue {
    /// The guest powered itself off.
    case clean
    /// QEMU was ended from outside. Its disks were flushed; the guest was not asked.
    case forced
    /// The guest was reset, by itself or by a fault, and QEMU was told to exit then. The guest's
    /// last writes may not be on its disk.
    case reset
    /// QEMU or the guest ended unexpectedly.
    case crashed
    /// The guest never executed an instruction.
    case failedToStart = "failed-to-start"
    /// QEMU exited normally while no supervisor was watching.
    case unknown
  }

  /// The boot that ended.
  package var token: String
  package var result: Ending
  /// QEMU's cause if there is one, such as `guest-shutdown`; else qvm's own description.
  package var reason: String
  /// The last rung of the shutdown ladder; nil if no shutdown was requested.
  package var rung: String?
  /// The time from the request to the exit of QEMU, in seconds; nil if no shutdown was requested.
  package var seconds: Double?
  /// The rungs in the order in which they were reached.
  package var steps: [Step] = []
  /// How often the power button was pressed.
  package var presses = 0
  package var exitStatus: Int32?
  package var signal: Int32?
  /// QEMU's disk error, such as `write: Disk quota exceeded`; nil without one.
  package var diskError: String?
  /// The kernel's kill of QEMU because memory was short; nil if none is known.
  package var memoryKill: MemoryKill?
  /// Whether QEMU crashed and would have dumped core without its limit.
  package var isWithoutCore = false
  /// The opposite, as it is written.
  private var hasCore: Bool {
    get { !isWithoutCore }
    set { isWithoutCore = !newValue }
  }
  package var endedAt: Timestamp

  package init(
    token: String, result: Ending, reason: String, rung: String? = nil, seconds: Double? = nil,
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

  /// The reason of a boot whose host was restarted.
  package static let hostReboot = "host-reboot"

  /// The reason for an instance that was copied while its VM ran.
  package static let copied = "copied-while-running"

  /// The reason of a boot that was ended because the guest was stopped by a disk error.
  package static let stalledByDisk = "disk-error"

  /// The outcome of a boot whose end was not observed and whose files are gone.
  package static var unobserved: Outcome {
    Outcome(token: "", result: .unknown, reason: "unobserved")
  }

  /// The outcome of a boot whose supervisor was killed before QEMU's greeting.
  package static func unfinishedStart(_ boot: BootRecord) -> Outcome {
    Outcome(
      token: boot.token, result: .failedToStart, reason: "supervisor killed during the start")
  }

  /// The phase that this outcome leaves the instance in.
  package var phase: Phase {
    switch result {
    case .clean, .forced, .reset, .unknown: .stopped
    case .crashed, .failedToStart: .crashed
    }
  }
}

extension Outcome: FileRecord {
  package static let schema = 1

  package static var blank: Outcome { unobserved }

  package mutating func exchange(with fields: inout RecordFields) {
    fields.required("boot", &token)
    fields.required("result", &result)
    fields.required("reason", &reason)
    fields.optional("rung", &rung)
    fields.optional("seconds", &seconds)
    fields.optional("rungs", &steps, omitting: [])
    fields.optional("presses", &presses, omitting: 0)
    fields.optional("exitStatus", &exitStatus)
    fields.optional("signal", &signal)
    fields.optional("diskError", &diskError)
    fields.optional("memoryKill", &memoryKill)
    fields.optional("core", &hasCore, omitting: true)
    fields.required("endedAt", &endedAt)
  }

  /// The members that `status --json` also shows.
  package var publicMembers: JSONObject {
    var object = members
    object["boot"] = nil
    return object
  }
}

extension Outcome {
  /// A rung of the shutdown ladder that was reached.
  package struct Step: RecordValue, Hashable {
    package let rung: String
    /// Seconds since the request for the shutdown.
    package let seconds: Double
    /// Why it could not be carried out; nil if it was, as far as is known.
    package var failure: String?

    package init(rung: String, seconds: Double) {
      self.rung = rung
      self.seconds = (seconds * 1000).rounded() / 1000
    }

    package var json: JSONValue {
      var object: JSONObject = ["rung": .string(rung), "seconds": .double(seconds)]
      object["failure"] = failure.map(JSONValue.string)
      return .object(object)
    }

    /// Reads a step; nil for anything else.
    package static func read(_ json: JSONValue) -> Step? {
      guard let rung = json["rung"]?.string, let seconds = json["seconds"]?.double else {
        return nil
      }
      var step = Step(rung: rung, seconds: seconds)
      step.failure = json["failure"]?.string
      return step
    }
  }
}

extension Outcome {
  /// A kill of QEMU by the kernel because memory was short.
  package struct MemoryKill: RecordValue, Hashable {
    /// The memory limit of QEMU's control group, in bytes; nil if the host's memory was the limit.
    package let limit: Int?

    package init(limit: Int?) { self.limit = limit }

    package var json: JSONValue {
      var object = JSONObject()
      object["limit"] = limit.map { .integer(Int64($0)) }
      return .object(object)
    }

    /// Reads it; nil if there is none.
    package static func read(_ json: JSONValue) -> MemoryKill? {
      json.object.map { MemoryKill(limit: $0["limit"]?.int) }
    }

    /// A sentence for people.
    package var sentence: String {
      let room =
        limit.map { "its limit is \(ByteCount.text($0)) (cgroup)" } ?? "the host had none left"
      return "the kernel killed QEMU because memory ran out: \(room)"
    }
  }

  /// The reason of a boot that the kernel ended because memory was short.
  package static let outOfMemory = "out-of-memory"
}
