/// A QEMU command line, edited by option name.
///
/// A driver's arguments are literal. The user's options, and what a second attempt to start needs,
/// are edits of them. Each edit returns a new value. A missing option is appended. A missing port
/// forward is an error, because there is no port to change.
package struct QEMUArguments: Sendable, Equatable {
  /// The arguments, with the program first.
  package private(set) var words: [String]

  package init(_ words: [String]) {
    self.words = words
  }

  /// The first argument: QEMU's name or path; empty if there are none.
  package var program: String { words.first ?? "" }

  /// The same arguments for another program, such as the path of the QEMU to run.
  package func settingProgram(_ program: String) -> Self {
    var copy = self
    copy.words.replaceSubrange(0..<min(1, words.count), with: [program])
    return copy
  }

  package func appending(_ more: [String]) -> Self {
    QEMUArguments(words + more)
  }

  /// The value that follows `option`; nil if the option is missing.
  package func value(of option: String) -> String? {
    values(of: option).first.map { words[$0] }
  }

  /// The number of virtual CPUs: `-smp`.
  package func settingCPUs(_ count: Int) -> Self { setting("-smp", to: String(count)) }

  /// The guest's memory, as QEMU writes sizes (`6G`): `-m`.
  package func settingMemory(_ size: String) -> Self { setting("-m", to: size) }

  /// The CPU model and its features: `-cpu`.
  package func settingCPU(_ model: String) -> Self { setting("-cpu", to: model) }

  /// The accelerators in the order in which QEMU tries them; empty if none are named.
  package var acceleratorList: [String] {
    let list = value(of: "-machine").flatMap { QEMUOptionValue($0)["accel"] } ?? ""
    return list.split(separator: ":").map(String.init)
  }

  /// Whether a `-drive` has an id.
  package func hasDrive(_ id: String) -> Bool {
    values(of: "-drive").contains { QEMUOptionValue(words[$0])["id"] == id }
  }

  /// Whether QEMU may exit normally although the guest has not shut down: after a reset
  /// (`-no-reboot`, `-action reboot=shutdown`), or after a panic that the guest can report.
  package var mayEndWithoutShutdown: Bool {
    words.contains { $0 == "-no-reboot" || $0 == "--no-reboot" || $0.contains("pvpanic") }
      || values(of: "-action").contains { QEMUOptionValue(words[$0])["reboot"] == "shutdown" }
  }

  /// Whether QEMU stays after the guest has powered off (`-no-shutdown`, `-action shutdown=pause`).
  package var staysAfterShutdown: Bool {
    words.contains { $0 == "-no-shutdown" || $0 == "--no-shutdown" }
      || values(of: "-action").contains { QEMUOptionValue(words[$0])["shutdown"] == "pause" }
  }

  package func settingAccelerators(_ accelerators: [String]) -> Self {
    settingMachineProperty("accel", accelerators.joined(separator: ":"))
  }

  /// Sets one property of `-machine`, such as `acpi` to `off`, and keeps the others.
  package func settingMachineProperty(_ name: String, _ property: String) -> Self {
    var items = QEMUOptionValue(value(of: "-machine") ?? "")
    items.set(name, to: property)
    return setting("-machine", to: items.value)
  }

  /// The host's port that is forwarded to the guest's ssh server; nil without a forward.
  package var forwardedPort: Int? { forward?.forward.port }

  /// The address on which the host listens for it; empty for all interfaces, nil without a forward.
  package var forwardedAddress: String? { forward?.forward.address }

  /// - Throws: `noPortForward` if no `-netdev` forwards a port to the guest's ssh server.
  package func settingForwardedPort(_ port: Int) throws(RunOptionError) -> Self {
    try editingForward { $0.port = port }
  }

  /// - Throws: `noPortForward` if no `-netdev` forwards a port to the guest's ssh server.
  package func settingForwardedAddress(_ address: String) throws(RunOptionError) -> Self {
    try editingForward { $0.address = address }
  }

  /// The first user network, in which ports are published; nil if there is none.
  private var userNetwork: (word: Int, items: QEMUOptionValue)? {
    for word in values(of: "-netdev") {
      let items = QEMUOptionValue(words[word])
      if items.kind == "user" || items["type"] == "user" { return (word, items) }
    }
    return nil
  }

  /// The id of the network in which ports are published; nil if there is none.
  var userNetworkID: String? { userNetwork?.items["id"] }

  /// The same arguments with further ports of the host forwarded to the guest.
  ///
  /// - Throws: `noUserNetwork` if there are ports, and no network for them.
  package func publishing(_ ports: [PublishedPort]) throws(RunOptionError) -> Self {
    if ports.isEmpty { return self }
    guard var network = userNetwork else { throw .noUserNetwork(program: program) }
    for port in ports { network.items.append("hostfwd", port.rule) }
    var copy = self
    copy.words[network.word] = network.items.value
    return copy
  }

  private var forward: (word: Int, item: Int, forward: PortForward)? {
    for word in values(of: "-netdev") {
      let items = QEMUOptionValue(words[word])
      for item in items.indices(of: "hostfwd") {
        if let forward = PortForward(items[item, "hostfwd"]), forward.leadsToSSH {
          return (word, item, forward)
        }
      }
    }
    return nil
  }

  private func editingForward(
    _ edit: (inout PortForward) -> Void
  ) throws(RunOptionError) -> Self {
    guard var found = forward else { throw .noPortForward(program: program) }
    edit(&found.forward)
    var items = QEMUOptionValue(words[found.word])
    items[found.item, "hostfwd"] = found.forward.value
    var copy = self
    copy.words[found.word] = items.value
    return copy
  }

  /// The `-device` of the system disk, and its index; nil if there is none.
  var systemDevice: (word: Int, items: QEMUOptionValue)? {
    values(of: "-device").lazy.map { ($0, QEMUOptionValue(words[$0])) }
      .first { $0.1["drive"] == "drive0" }
  }

  /// The same arguments with another word at an index.
  func replacing(_ index: Int, with word: String) -> Self {
    var copy = self
    copy.words[index] = word
    return copy
  }

  private func setting(_ option: String, to value: String) -> Self {
    var copy = self
    if let index = values(of: option).first {
      copy.words[index] = value
    } else {
      copy.words += [option, value]
    }
    return copy
  }

  /// The indices of the values of `option`. As in every driver, an argument that begins with a dash
  /// is an option. The argument after it is its value, unless that begins with a dash too.
  private func values(of option: String) -> [Int] {
    words.indices.dropFirst(2).filter {
      words[$0 - 1] == option && !Self.isOption(words[$0])
    }
  }

  static func isOption(_ word: String) -> Bool { word.utf8.first == UInt8(ascii: "-") }
}
