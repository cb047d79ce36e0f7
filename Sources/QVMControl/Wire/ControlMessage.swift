package import QMPClient

/// A request to a supervisor: one JSON object a line on `control.sock`.
package enum ControlRequest: Sendable, Hashable {
  /// The VM's state; answered at once by one line with `status`.
  case status
  /// Ends the VM, from a rung on; `timeout` is how long the guest may take, in seconds. The client gets
  /// the events from now on.
  case stop(ShutdownRung, timeout: Int?)
  /// The client gets the events from now on, the current phase first.
  case subscribe
  /// The client has attached to the console: the guest may run.
  case proceed
  /// Resumes a paused guest; answered by one line with `resume`. The client gets the events from now
  /// on.
  case resume
  /// The client gives up the lease: the VM keeps running without it.
  case detach
  /// The client takes the lease: if it exits without `detach`, the VM is shut down. Answered by one line
  /// with `attach`, which is `busy` if another client has the lease. The events follow, `running` first.
  case attach
  /// Whether a client is attached to the console; answered by one line with `console`.
  case console
  /// The client has seen that the guest is ready. Answered by one line with `ready`: for how many seconds
  /// that is in doubt, because a command that has just ended may restart the guest; 0 for none.
  case ready
  /// A command that the client ran in the guest has ended; not answered.
  case commandEnded
  /// The client wants to use the ssh connection to the guest that the supervisor holds, until it closes
  /// its own. Answered by one line with `connection`: `shared`, or `none` if the client has to connect to
  /// the guest by itself. The client gets the events from now on.
  case connection
  /// Forwards a port of the host to the guest, now and at the next boots; answered by one line with
  /// `publish`: the port, or ``PortRefusal``.
  case publish(PublishedPort)
  /// Ends a forward, now and for the next boots; answered in the same way.
  case unpublish(PublishedPort)

  package var json: JSONValue {
    switch self {
    case .status: ["request": "status"]
    case .subscribe: ["request": "subscribe"]
    case .proceed: ["request": "continue"]
    case .resume: ["request": "resume"]
    case .detach: ["request": "detach"]
    case .attach: ["request": "attach"]
    case .console: ["request": "console"]
    case .ready: ["request": "ready"]
    case .commandEnded: ["request": "command-ended"]
    case .connection: ["request": "connection"]
    case .publish(let port): ["request": "publish", "port": port.json]
    case .unpublish(let port): ["request": "unpublish", "port": port.json]
    case .stop(let rung, let timeout):
      timeout.map {
        ["request": "stop", "rung": .string(rung.name), "timeout": .integer(Int64($0))]
      } ?? ["request": "stop", "rung": .string(rung.name)]
    }
  }

  /// The request with a boot's token. The supervisor of another boot refuses it.
  package func json(boot token: String?) -> JSONValue {
    guard let token, var object = json.object else { return json }
    object["boot"] = .string(token)
    return .object(object)
  }

  /// Reads a request; nil if it is unknown.
  package init?(_ json: JSONValue) {
    switch json["request"]?.string {
    case "status": self = .status
    case "subscribe": self = .subscribe
    case "continue": self = .proceed
    case "resume": self = .resume
    case "detach": self = .detach
    case "attach": self = .attach
    case "console": self = .console
    case "ready": self = .ready
    case "command-ended": self = .commandEnded
    case "connection": self = .connection
    case "publish", "unpublish":
      guard let port = json["port"].flatMap(PublishedPort.read) else { return nil }
      self = json["request"]?.string == "publish" ? .publish(port) : .unpublish(port)
    case "stop":
      let rung = ShutdownRung.allCases.first { $0.name == json["rung"]?.string }
      guard let rung else { return nil }
      self = .stop(rung, timeout: json["timeout"]?.int)
    default: return nil
    }
  }
}

/// An event that a supervisor reports to its clients: one JSON object a line.
package enum ControlEvent: Sendable, Hashable {
  /// A sentence for the user.
  case notice(String)
  /// QEMU runs, and the guest doesn't yet. A client can attach to the console.
  case created
  case phase(Phase, reason: String?)
  /// The guest executes.
  case running(sshAddress: String?, sshPort: Int?, accelerator: String)
  /// The guest can be used. Sent once after its start, and again after each reset.
  case ready
  /// The guest began anew, without its programs and connections.
  case reset
  /// The shutdown reached a rung, or the button was pressed again.
  case rung(String, presses: Int)
  /// The VM did not start.
  case failed(message: String, advice: String?, status: Int32)
  /// The VM has ended. Its outcome is recorded, and `--rm` is carried out.
  case ended(Outcome, removed: Bool)

  package var json: JSONValue {
    switch self {
    case .notice(let text): return ["event": "notice", "text": .string(text)]
    case .created: return ["event": "created"]
    case .phase(let phase, let reason):
      var object: JSONObject = ["event": "phase", "phase": .string(phase.rawValue)]
      object["reason"] = reason.map(JSONValue.string)
      return .object(object)
    case .running(let address, let port, let accelerator):
      var object: JSONObject = ["event": "running", "accelerator": .string(accelerator)]
      object["sshAddress"] = address.map(JSONValue.string)
      object["sshPort"] = port.map { .integer(Int64($0)) }
      return .object(object)
    case .ready: return ["event": "ready"]
    case .reset: return ["event": "reset"]
    case .rung(let name, let presses):
      return ["event": "rung", "rung": .string(name), "presses": .integer(Int64(presses))]
    case .failed(let message, let advice, let status):
      var object: JSONObject = [
        "event": "failed", "message": .string(message), "status": .integer(Int64(status)),
      ]
      object["advice"] = advice.map(JSONValue.string)
      return .object(object)
    case .ended(let outcome, let removed):
      return ["event": "ended", "outcome": outcome.json, "removed": .bool(removed)]
    }
  }

  /// Reads an event; nil if it is unknown. Texts for the user are made harmless (``ForeignText``).
  package init?(_ json: JSONValue) {
    switch json["event"]?.string {
    case "notice": self = .notice(ForeignText.message(json["text"]?.string ?? ""))
    case "created": self = .created
    case "phase":
      guard let phase = json["phase"]?.string.flatMap(Phase.init(rawValue:)) else { return nil }
      self = .phase(phase, reason: json["reason"]?.string.map(ForeignText.line))
    case "running":
      self = .running(
        sshAddress: json["sshAddress"]?.string, sshPort: json["sshPort"]?.int,
        accelerator: ForeignText.line(json["accelerator"]?.string ?? ""))
    case "ready": self = .ready
    case "reset": self = .reset
    case "rung": self = .rung(json["rung"]?.string ?? "", presses: json["presses"]?.int ?? 0)
    case "failed":
      self = .failed(
        message: ForeignText.message(json["message"]?.string ?? ""),
        advice: json["advice"]?.string.map(ForeignText.message),
        status: Int32(clamping: json["status"]?.int ?? 1))
    case "ended":
      guard let outcome = try? Outcome(json["outcome"] ?? .null, "outcome") else {
        return nil
      }
      self = .ended(outcome, removed: json["removed"]?.bool ?? false)
    default: return nil
    }
  }
}
