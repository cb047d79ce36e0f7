import QMPClient
import QVMControl

struct ListCommand: Command {
  static let name = "list"
  static let aliases = ["ls", "ps"]
  static let summary = "List all instances."
  static let discussion: String? = """
    On a narrow terminal the less important columns are left out. A pipe gets all columns.
    """
  static let parameters: [Parameter<Self>] = [
    .flag("--json", "Print one JSON document.") { $0.isJSON = true },
    .flag("--quiet", short: "-q", "Print only the names.") { $0.isQuiet = true },
    // Users of other programs type it.
    .flag("--all", short: "-a", "Has no effect: stopped instances are always listed.") { _ in },
  ]

  var isJSON = false
  var isQuiet = false

  func advice(extra word: String) -> String? { "'qvm status \(word)' shows one instance." }

  func run() throws -> ExitStatus {
    let store = InstanceStore(try Cache.fromEnvironment())
    if isJSON, isQuiet { throw UsageError.contradiction("--json", "--quiet") }
    if isQuiet {
      try Output.show(store.names.map { "\($0)\n" }.joined())
      return .done
    }
    if isJSON {
      let all = try VMStatus.all(in: store)
      try Output.print([
        "schema": 1, "instances": .array(all.map { .object($0.json) }),
      ])
      return .done
    }
    var states = LastText<State>()
    var sizes = LastText<Int>()
    var table = Table(["NAME", "OS", "VERSION", "ARCH", "STATE", "SSH", "SIZE", "CREATED"])
    try InstanceSummary.forEach(in: store) { instance in
      let state = State(
        phase: instance.phase, reason: instance.reason, isReady: instance.isReady)
      table.add([
        instance.name, instance.operatingSystem ?? "-", instance.version ?? "-",
        instance.architecture ?? "-",
        states.text(of: state) { $0.phase.text($0.reason, isReady: $0.isReady) },
        instance.ssh ?? "-",
        sizes.text(of: instance.size, ByteCount.text), instance.createdAt ?? "-",
      ])
    }
    table.fit(in: Output.width, leavingOut: Self.lessImportant)
    try Output.show(table.bytes)
    if Output.isTerminal, store.names.isEmpty { Output.note("qvm: \(NameHint.none)\n") }
    return .done
  }

  private struct State: Equatable {
    let phase: Phase
    let reason: String?
    let isReady: Bool?
  }

  /// Caches the text of the last value: thousands of instances may be in the same state.
  private struct LastText<Value: Equatable> {
    private var last: (value: Value, text: String)?

    mutating func text(of value: Value, _ make: (Value) -> String) -> String {
      if let last, last.value == value { return last.text }
      let text = make(value)
      last = (value, text)
      return text
    }
  }

  /// The columns that a narrow terminal can do without, the least important first.
  private static let lessImportant = ["CREATED", "SIZE", "ARCH", "VERSION", "OS", "SSH"]
}
