package import QMPClient

/// The user's changes to the driver's command line. Nil changes nothing.
package struct RunOverrides: Sendable, Equatable {
  package let cpus: Int?
  package let memory: String?
  /// The size of a new instance's disk, such as `30G`; nil for that of the image. It is not part of what
  /// ``apply(to:)`` does.
  package let disk: String?
  package let cpu: String?
  package let accelerators: [String]?
  package let sshPort: Int?
  package let sshAddress: String?
  /// The ports to publish. They are not part of what ``apply(to:)`` does: a supervisor chooses those that
  /// are free first.
  package let published: [PublishedPort]
  /// Literal arguments for QEMU, after all of the driver's.
  package private(set) var extraArguments: [String]

  /// Checks every value with `RunOptionValidation`.
  package init(
    cpus: Int? = nil, memory: String? = nil, disk: String? = nil, cpu: String? = nil,
    accelerators: String? = nil,
    sshPort: Int? = nil, sshAddress: String? = nil, published: [PublishedPort] = [],
    extraArguments: [String] = []
  ) throws(RunOptionError) {
    self.cpus = if let cpus { try RunOptionValidation.cpus(cpus) } else { nil }
    self.memory = if let memory { try RunOptionValidation.memory(memory) } else { nil }
    self.disk = if let disk { try RunOptionValidation.diskSize(disk).text } else { nil }
    self.cpu = if let cpu { try RunOptionValidation.cpuModel(cpu) } else { nil }
    self.accelerators =
      if let accelerators { try RunOptionValidation.accelerators(accelerators) } else { nil }
    self.sshPort = if let sshPort { try RunOptionValidation.port(sshPort) } else { nil }
    self.sshAddress = if let sshAddress { try RunOptionValidation.address(sshAddress) } else { nil }
    try PublishedPort.checkDistinct(published, besides: sshPort)
    self.published = published
    self.extraArguments = extraArguments
  }

  /// A copy in which the extra arguments' relative paths are absolute.
  ///
  /// - Parameter folder: The folder that they are relative to.
  /// - Returns: The overrides, valid in any working folder.
  package func withAbsolutePaths(in folder: String) -> RunOverrides {
    var copy = self
    copy.extraArguments = QEMUArguments.withAbsolutePaths(
      extraArguments, in: folder, exists: Files.exists)
    return copy
  }

  /// Applies the overrides to a driver's command line, with the extra arguments at its end.
  ///
  /// - Parameters:
  ///   - arguments: The driver's command line.
  ///   - keys: The disk with keys that the guest needs, and the path of its image; nil for none. A
  ///     guest counts its disks, so the disk's place among those of the extra arguments matters.
  /// - Returns: The edited command line.
  /// - Throws: `noPortForward` if there is no forward whose port or address could be changed.
  package func apply(
    to arguments: QEMUArguments, with keys: (disk: KeyDisk, path: String)? = nil
  ) throws(RunOptionError) -> QEMUArguments {
    var edited = arguments
    if let cpus { edited = edited.settingCPUs(cpus) }
    if let memory { edited = edited.settingMemory(memory) }
    if let cpu { edited = edited.settingCPU(cpu) }
    if let accelerators { edited = edited.settingAccelerators(accelerators) }
    if let sshPort { edited = try edited.settingForwardedPort(sshPort) }
    if let sshAddress { edited = try edited.settingForwardedAddress(sshAddress) }
    guard let keys else { return edited.appending(extraArguments) }
    return keys.disk.isLast
      ? edited.appending(extraArguments).appendingKeyDisk(keys.path)
      : edited.appendingKeyDisk(keys.path).appending(extraArguments)
  }
}

extension RunOverrides {
  /// Each override: its member in an instance's record, its value, and the option that is compared
  /// with the record's (``optionsDiffering(from:)``).
  private var members: [(name: String, value: JSONValue?, option: String?)] {
    [
      ("cpus", cpus?.json, "--cpus"),
      ("memory", memory?.json, "--memory"),
      // Another size than the disk has is refused.
      ("disk", disk?.json, nil),
      ("cpu", cpu?.json, "--cpu"),
      ("accelerators", accelerators?.joined(separator: ":").json, nil),
      ("sshPort", sshPort?.json, "--ssh-port"),
      ("sshAddress", sshAddress?.json, nil),
      (Self.publishMember, published.isEmpty ? nil : published.map(\.word).json, "--publish"),
      ("extraArguments", extraArguments.isEmpty ? nil : extraArguments.json, "--qemu-arg"),
    ]
  }

  /// The member of an instance's record that has its published ports.
  private static let publishMember = "publish"

  /// The options of an instance with other published ports.
  ///
  /// - Parameters:
  ///   - options: The options, from its record.
  ///   - edit: Changes the ports.
  /// - Returns: The options for its record.
  /// - Throws: ``RunOptionError`` if a recorded port can't be read, or two need the same port of the host.
  static func options(
    _ options: JSONObject, editingPublished edit: (inout [PublishedPort]) -> Void
  ) throws(RunOptionError) -> JSONObject {
    var ports = try published(in: options)
    edit(&ports)
    try PublishedPort.checkDistinct(ports, besides: options["sshPort"]?.int)
    var options = options
    options[publishMember] = ports.isEmpty ? nil : ports.map(\.word).json
    return options
  }

  /// The published ports in the options of an instance.
  ///
  /// - Throws: ``RunOptionError`` for one that the command line would have refused.
  static func published(in options: JSONObject) throws(RunOptionError) -> [PublishedPort] {
    var ports: [PublishedPort] = []
    for word in options[publishMember]?.array?.compactMap(\.string) ?? [] {
      ports.append(try PublishedPort(word))
    }
    return ports
  }

  /// The overrides for an instance's record. Members that are nil are absent.
  package var json: JSONObject {
    var object = JSONObject()
    for member in members { object[member.name] = member.value }
    return object
  }

  /// Reads what ``json`` writes. `accelerators`, if any, replaces the recorded ones.
  ///
  /// - Throws: ``RunOptionError`` for a value that the command line would have refused.
  package init(_ json: JSONValue, accelerators: String?) throws(RunOptionError) {
    try self.init(
      cpus: json["cpus"]?.int, memory: json["memory"]?.string,
      disk: json["disk"]?.string, cpu: json["cpu"]?.string,
      accelerators: accelerators ?? json["accelerators"]?.string, sshPort: json["sshPort"]?.int,
      sshAddress: json["sshAddress"]?.string,
      published: try Self.published(in: json.object ?? [:]),
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
    members.compactMap { name, value, option in
      value == nil || value == own[name] ? nil : option
    }
  }
}
