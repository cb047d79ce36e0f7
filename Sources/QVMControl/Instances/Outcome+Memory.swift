internal import QMPClient

extension Outcome {
  /// That the kernel killed QEMU for want of memory.
  package struct MemoryKill: Sendable, Hashable {
    /// What QEMU's group of processes may have, in bytes; nil where only the host's memory is the
    /// limit.
    package let limit: Int?

    package init(limit: Int?) { self.limit = limit }

    var json: JSONValue {
      var object = JSONObject()
      object["limit"] = limit.map { .integer(Int64($0)) }
      return .object(object)
    }

    /// Reads it; nil where there is none.
    init?(_ json: JSONValue?) {
      guard let json, json.object != nil else { return nil }
      limit = json["limit"]?.int
    }

    /// For people.
    package var sentence: String {
      let room =
        limit.map { "its limit is \(ByteCount.text($0)) (cgroup)" } ?? "the host had no more"
      return "the kernel killed QEMU for want of memory: \(room)"
    }
  }

  /// The reason of one that the kernel killed for want of memory.
  package static let outOfMemory = "out-of-memory"
}
