import QMPClient
import QVMControl

struct StatusCommand: Command {
  static let name = "status"
  static let summary = "Show the status of instances."
  static let discussion: String? = """
    The exit status is 3 if an instance is not running.
    """
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", "Instances, as shown by 'qvm list'.", completing: .instances) {
      $0.names.append($1)
    },
    .flag("--json", "Print one JSON document.") { $0.isJSON = true },
  ]

  var names: [String] = []
  var isJSON = false

  func run() throws -> ExitStatus {
    let store = InstanceStore(try Cache.fromEnvironment())
    let names = try InstanceName.distinct(names)
    var documents: [JSONValue] = []
    var statuses: [ExitStatus] = []
    for name in names {
      let status: VMStatus
      do throws(InstanceError) { status = try VMStatus.inspect(name, in: store) } catch {
        Output.report(error)
        statuses.append(error.exitStatus)
        continue
      }
      if isJSON {
        documents.append(.object(status.json))
      } else {
        // An empty line separates the instances.
        try Output.show((statuses.isEmpty ? "" : "\n") + text(status))
      }
      statuses.append(exitStatus(status))
    }
    if isJSON, names.count > 1 {
      try Output.print(["schema": 1, "instances": .array(documents)])
    } else if isJSON, let object = documents.first?.object {
      var document: JSONObject = ["schema": 1]
      for member in object.members { document[member.name] = member.value }
      try Output.print(document)
    }
    return statuses.first { $0 != .done } ?? .done
  }

  private func exitStatus(_ status: VMStatus) -> ExitStatus {
    // If the files cannot be read, only the lock tells whether the VM runs.
    if status.phase == .broken, FileLock.isHeld(status.files.vmLock) { return .failed }
    return status.phase.isAlive ? .done : .notRunning
  }

  /// The advice for an unusual state; nil for other states.
  private func nextStep(_ status: VMStatus) -> String? {
    switch status.phase {
    case .orphaned:
      "'qvm stop \(status.name)' starts a new supervisor, which shuts the guest down"
    case .unresponsive: "'qvm stop --force \(status.name)' ends it"
    case .crashed:
      "'qvm start -d \(status.name)' boots it again; QEMU's messages are in \(status.files.qemuLog)"
    default: nil
    }
  }

  private func text(_ status: VMStatus) -> String {
    var rows: [(String, String)] = [("name", status.name)]
    if let target = status.record?.target {
      rows.append(
        (
          "guest",
          "\(target.operatingSystem.rawValue) \(target.version) \(target.architecture.rawValue)"
        ))
    }
    rows.append(("state", status.phase.text(status.reason, isReady: status.isReady)))
    if let runState = status.runState { rows.append(("run state", runState.rawValue)) }
    if let error = status.diskError { rows.append(("disk error", error)) }
    if status.phase.isAlive, let boot = status.boot {
      if let pid = boot.pid { rows.append(("pid", String(pid))) }
      let uptime = DurationText.span(Timestamp.now.seconds - boot.startedAt.seconds)
      rows.append(("started", "\(boot.startedAt) (\(uptime) ago)"))
      if let accelerator = boot.accelerator { rows.append(("accelerator", accelerator)) }
      if let version = boot.qemuVersion { rows.append(("QEMU", version)) }
      if let login = status.record?.target.operatingSystem.login {
        rows.append(("ssh", status.ssh ?? "-"))
        if status.ssh != nil {
          rows.append(("log in", "'qvm ssh \(status.name)' \(login.sentence)"))
          rows.append(("password", login.password))
          if let key = status.sshKey { rows.append(("ssh key", key)) }
        }
      }
      for (index, port) in status.ports.enumerated() {
        rows.append((index == 0 ? "ports" : "", port.text))
      }
      if boot.removeOnShutdown { rows.append(("on shutdown", "removed")) }
    }
    if let outcome = status.outcome, !status.phase.isAlive {
      let reason = Outcome.text(forReason: outcome.reason)
      rows.append(
        ("last shutdown", "\(outcome.result.rawValue): \(reason), \(outcome.endedAt)"))
    }
    if let reason = status.reason, [.orphaned, .unresponsive, .broken].contains(status.phase) {
      rows.append(("reason", reason))
    }
    if let next = nextStep(status) { rows.append(("next step", next)) }
    rows.append(("disk", status.files.disk))
    rows.append(("console", status.files.console))
    let width = rows.map(\.0.count).max() ?? 0
    var text = ""
    for (name, value) in rows {
      let value = ForeignText.line(value)
      text += name + String(repeating: " ", count: width - name.count + 2) + value + "\n"
    }
    return text
  }
}
