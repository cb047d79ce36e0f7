package import QMPClient

extension RunOverrides {
  /// What differs from the driver, for an instance's record; what doesn't is absent.
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

  /// Reads what ``json`` writes, with the accelerators that the environment asks for now, if any.
  ///
  /// - Throws: ``RunOptionError`` for a value that no command line would have let in.
  package init(_ json: JSONValue, accelerators: String?) throws(RunOptionError) {
    try self.init(
      cpus: json["cpus"]?.int, memory: json["memory"]?.string, cpu: json["cpu"]?.string,
      accelerators: accelerators ?? json["accelerators"]?.string, sshPort: json["sshPort"]?.int,
      sshAddress: json["sshAddress"]?.string,
      extraArguments: json["extraArguments"]?.array?.compactMap(\.string) ?? [])
  }

  /// The same with an instance's own values for what isn't given here.
  ///
  /// - Parameter own: What ``json`` wrote when the instance was created.
  /// - Returns: The overrides for this boot.
  /// - Throws: ``RunOptionError`` for a value on record that no command line would have let in.
  func completed(by own: JSONObject) throws(RunOptionError) -> RunOverrides {
    var all = own
    for (name, value) in json.members { all[name] = value }
    return try RunOverrides(.object(all), accelerators: nil)
  }

  /// The options of the command line that are given here with other values than an instance has.
  ///
  /// Accelerator and address are left out: they mostly come from the environment.
  func optionsDiffering(from own: JSONObject) -> [String] {
    let options = [
      ("cpus", "--cpus"), ("memory", "--memory"), ("cpu", "--cpu"), ("sshPort", "--ssh-port"),
      ("extraArguments", "--qemu-arg"),
    ]
    let given = json
    return options.filter { given[$0.0] != nil && given[$0.0] != own[$0.0] }.map(\.1)
  }
}
