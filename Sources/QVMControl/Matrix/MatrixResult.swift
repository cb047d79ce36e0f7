package import QMPClient

/// What became of one target of a matrix.
package struct MatrixResult: Sendable {
  package enum Verdict: String, Sendable {
    /// The command ended with status 0.
    case passed
    /// It ended with another status.
    case failed
    /// The guest never executed.
    case noBoot = "no-boot"
    /// It executed, and did not become ready.
    case notReady = "not-ready"
    /// The connection to it was lost while the command ran.
    case lost
    /// The command could not be run, or qvm itself failed.
    case error
    /// The user, or the failure of another one, ended it.
    case interrupted
    /// It was not begun.
    case skipped
  }

  package let target: MatrixTarget
  package var verdict = Verdict.skipped
  /// The command's exit status; nil if it has none.
  package var exit: Int32?
  /// From the beginning until the guest was ready, in seconds.
  package var bootSeconds: Double?
  /// How long the command took, in seconds.
  package var commandSeconds: Double?
  /// From the beginning to the end of it all, in seconds.
  package var seconds = 0.0
  /// The last output, for a report.
  package var tail: [UInt8] = []
  /// The last thing that it reported on standard error, such as why the guest was not ready.
  package var detail = ""

  package init(_ target: MatrixTarget) { self.target = target }

  /// The member of the JSON document.
  package var json: JSONObject {
    var object: JSONObject = [
      "target": .string(target.label), "os": .string(target.target.operatingSystem.rawValue),
      "version": .string(target.target.version),
      "platform": .string(target.target.architecture.rawValue),
      "instance": .string(target.name.text), "result": .string(verdict.rawValue),
    ]
    object["exit"] = exit.map { .integer(Int64($0)) }
    object["bootSeconds"] = bootSeconds.map { .double($0.rounded(toPlaces: 3)) }
    object["commandSeconds"] = commandSeconds.map { .double($0.rounded(toPlaces: 3)) }
    if verdict != .passed, !detail.isEmpty { object["detail"] = .string(detail) }
    return object
  }
}

extension Double {
  func rounded(toPlaces places: Int) -> Double {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    return (self * scale).rounded() / scale
  }
}
