internal import QMPClient

extension Outcome {
  /// A kill of QEMU by the kernel because memory was short.
  package struct MemoryKill: Sendable, Hashable {
    /// The memory limit of QEMU's control group, in bytes; nil if the host's memory was the limit.
    package let limit: Int?

    package init(limit: Int?) { self.limit = limit }

    var json: JSONValue {
      var object = JSONObject()
      object["limit"] = limit.map { .integer(Int64($0)) }
      return .object(object)
    }

    /// Reads it; nil if there is none.
    init?(_ json: JSONValue?) {
      guard let json, json.object != nil else { return nil }
      limit = json["limit"]?.int
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
