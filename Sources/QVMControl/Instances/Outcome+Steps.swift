internal import QMPClient

extension Outcome {
  /// A rung of the shutdown ladder that was reached.
  package struct Step: Sendable, Hashable {
    package let rung: String
    /// Seconds since the request for the shutdown.
    package let seconds: Double
    /// Why it could not be carried out; nil if it was, as far as is known.
    package var failure: String?

    package init(rung: String, seconds: Double) {
      self.rung = rung
      self.seconds = (seconds * 1000).rounded() / 1000
    }

    var json: JSONValue {
      var object: JSONObject = ["rung": .string(rung), "seconds": .double(seconds)]
      object["failure"] = failure.map(JSONValue.string)
      return .object(object)
    }

    /// Reads a step; nil for anything else.
    init?(_ json: JSONValue) {
      guard let rung = json["rung"]?.string, let seconds = json["seconds"]?.double else {
        return nil
      }
      self.init(rung: rung, seconds: seconds)
      failure = json["failure"]?.string
    }
  }
}
