package import QMPClient

extension VMStatus {
  /// The status with stable keys. Keys that don't apply are absent.
  package var json: JSONObject {
    var object: JSONObject = ["name": .string(name)]
    if let record {
      object["os"] = .string(record.target.operatingSystem.rawValue)
      object["version"] = .string(record.target.version)
      object["platform"] = .string(record.target.architecture.rawValue)
      object["createdAt"] = .string(record.createdAt.description)
    }
    object["phase"] = .string(phase.rawValue)
    object["reason"] = reason.map(JSONValue.string)
    object["runState"] = runState.map { .string($0.rawValue) }
    object["ready"] = isReady.map(JSONValue.bool)
    object["diskError"] = diskError.map(JSONValue.string)
    if phase.isAlive, let boot {
      object["pid"] = boot.knownPid.map { .integer(Int64($0)) }
      if phase != .orphaned {
        object["supervisorPid"] = boot.knownSupervisorPid.map { .integer(Int64($0)) }
      }
      object["startedAt"] = .string(boot.startedAt.description)
      object["accelerator"] = boot.accelerator.map(JSONValue.string)
      object["qemuVersion"] = boot.qemuVersion.map(JSONValue.string)
      object["sshAddress"] = boot.sshAddress.map(JSONValue.string)
      object["sshPort"] = boot.sshPort.map { .integer(Int64($0)) }
      object["removeOnShutdown"] = .bool(boot.removeOnShutdown)
    } else if let boot {
      object["removeOnShutdown"] = .bool(boot.removeOnShutdown)
    }
    if !ports.isEmpty { object["ports"] = ports.json }
    if let outcome, !phase.isAlive { object["lastOutcome"] = .object(outcome.publicMembers) }
    var paths: JSONObject = [
      "disk": .string(files.disk), "console": .string(files.console),
      "qemuLog": .string(files.qemuLog),
    ]
    if phase.isAlive, let boot {
      paths["monitor"] = .string(boot.runtime(files).monitor)
    }
    paths["sshKey"] = sshKey.map(JSONValue.string)
    object["paths"] = .object(paths)
    return object
  }
}
