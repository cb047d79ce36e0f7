import QMPClient
import QVMControl

struct DoctorCommand: Command {
  static let name = "doctor"
  static let summary = "Check this host: QEMU and its accelerators, the cache, programs, ports."
  static let discussion: String? = """
    Each installed QEMU for x86-64 boots the built-in guest once with each accelerator, and shuts it
    down. Each QEMU for arm64 runs its firmware for a moment. Each trial takes at most 20 seconds.
    Nothing is downloaded, and no files are left behind.

    The exit status is 1 if no QEMU that QVM_QEMU allows works, or if something essential is missing. A
    QEMU that 'qvm run' would download does not count as missing.
    """
  static let parameters: [Parameter<Self>] = [
    .flag("--json", "Print one JSON document.") { $0.isJSON = true }
  ]

  var isJSON = false

  func advice(extra word: String) -> String? {
    "Leave out '\(word)': 'qvm doctor' checks this host, and no instance. 'qvm status NAME' shows one."
  }

  func run() throws -> ExitStatus {
    let cache = try Cache.fromEnvironment()
    let found = try Interruptible.run { try await DoctorReport.make(of: cache, on: $0) }
    if isJSON {
      try Output.print(found.json)
    } else {
      try Output.show(ForeignText.lines(Self.text(found)))
    }
    return found.isGood ? .done : .failed
  }

  static func text(_ found: DoctorReport) -> String {
    var accelerators = Table(["QEMU", "VERSION", "ACCELERATOR", "RESULT", "READY AFTER"])
    for one in found.findings {
      accelerators.add([
        one.release.map { "managed \($0) for \(one.architecture.rawValue)" } ?? one.program,
        one.version ?? "-", one.accelerator,
        one.word, one.seconds.map { "\(seconds($0)) s" } ?? "-",
      ])
    }
    var checks = Table(["CHECK", "RESULT", "DETAIL"])
    for check in found.checks { checks.add([check.name, check.state.rawValue, check.detail]) }
    return (found.findings.isEmpty ? "" : accelerators.text + "\n") + checks.text
      + remedies(found)
  }

  /// The problems, each with its advice.
  private static func remedies(_ found: DoctorReport) -> String {
    var text = ""
    for one in found.findings where !one.works {
      text += "\n\(one.program) with \(one.accelerator): "
      text += one.why.joined(separator: "\n  ") + "\n"
      if let advice = one.advice { text += "  \(advice)\n" }
    }
    for check in found.checks {
      guard check.state != .ok, let advice = check.advice else { continue }
      // Some details begin with the name themselves.
      let name = check.detail.hasPrefix(check.name) ? "" : "\(check.name): "
      text += "\n\(name)\(check.detail)\n  \(advice)\n"
    }
    return text
  }

  private static func seconds(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
