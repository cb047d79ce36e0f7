internal import QMPClient

extension Outcome {
  /// A rung of the shutdown as it was reached.
  package struct Step: Sendable, Hashable {
    package let rung: String
    /// Since the request for the end.
    package let seconds: Double
    /// Why it could not be carried out; nil where it was, as far as is known.
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

    /// Reads a step; nil for what is none.
    init?(_ json: JSONValue) {
      guard let rung = json["rung"]?.string, let seconds = json["seconds"]?.double else {
        return nil
      }
      self.init(rung: rung, seconds: seconds)
      failure = json["failure"]?.string
    }
  }
}
