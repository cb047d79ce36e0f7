package import QMPClient

/// Why a supervisor did not do what was asked of a port, as a client reports it.
package struct PortRefusal: UserFacingError, Hashable {
  package let message: String
  package let advice: String?
  package let exitStatus: ExitStatus

  package init(_ error: any Error) {
    let failure = error as? any UserFacingError
    message = failure?.message ?? "\(error)"
    advice = failure?.advice
    exitStatus = failure?.exitStatus ?? .failed
  }

  package var json: JSONValue {
    var object: JSONObject = [
      "refused": .string(message), "status": .integer(Int64(exitStatus.rawValue)),
    ]
    object["advice"] = advice.map(JSONValue.string)
    return .object(object)
  }

  /// Reads a refusal; nil if the answer is none. Texts are made harmless (``ForeignText``).
  package init?(_ json: JSONValue) {
    guard let message = json["refused"]?.string else { return nil }
    self.message = ForeignText.message(message)
    advice = json["advice"]?.string.map(ForeignText.message)
    exitStatus = ExitStatus(rawValue: Int32(clamping: json["status"]?.int ?? 1))
  }
}
