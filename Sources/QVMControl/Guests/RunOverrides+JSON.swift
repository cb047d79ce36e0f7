package import QMPClient

extension RunOverrides {
  /// The overrides for an instance's record. Members that are nil are absent.
  package var json: JSONObject {
    var object = JSONObject()
    object["cpus"] = cpus.map { .integer(Int64($0)) }
    object["memory"] = memory.map(JSONValue.string)
    object["cpu"] = cpu.map(JSONValue.string)
    object["accelerators"] = accelerators.map { .string($0.joined(separator: ":")) }
    object["sshPort"] = sshPort.map { .integer(Int64($0)) }
    object["sshAddress"] = sshAddress.map(JSONValue.string)
    if !extraArguments.isEmpty {
      object["extraArguments"] = .array(extraArguments.map(JSONValue.string))
    }
    return object
  }

  /// Reads what ``json`` writes. `accelerators`, if any, replaces the recorded ones.
  ///
  /// - Throws: ``RunOptionError`` for a value that the command line would have refused.
  package init(_ json: JSONValue, accelerators: String?) throws(RunOptionError) {
    try self.init(
      cpus: json["cpus"]?.int, memory: json["memory"]?.string, cpu: json["cpu"]?.string,
      accelerators: accelerators ?? json["accelerators"]?.string, sshPort: json["sshPort"]?.int,
      sshAddress: json["sshAddress"]?.string,
      extraArguments: json["extraArguments"]?.array?.compactMap(\.string) ?? [])
  }

  /// These overrides, completed with an instance's recorded ones.
  ///
  /// - Parameter own: The ``json`` of the instance's creation.
  /// - Returns: The overrides for this boot.
  /// - Throws: ``RunOptionError`` for a recorded value that the command line would have refused.
  func completed(by own: JSONObject) throws(RunOptionError) -> RunOverrides {
    var all = own
    for (name, value) in json.members { all[name] = value }
    return try RunOverrides(.object(all), accelerators: nil)
  }

  /// The command-line options whose values here differ from an instance's recorded ones.
  ///
  /// Without accelerator and address, which mostly come from the environment.
  func optionsDiffering(from own: JSONObject) -> [String] {
    let options = [
      ("cpus", "--cpus"), ("memory", "--memory"), ("cpu", "--cpu"), ("sshPort", "--ssh-port"),
      ("extraArguments", "--qemu-arg"),
    ]
    let given = json
    return options.filter { given[$0.0] != nil && given[$0.0] != own[$0.0] }.map(\.1)
  }
}
