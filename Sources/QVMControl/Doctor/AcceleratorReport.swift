package import QMPClient

/// The result of trying one QEMU with one accelerator.
package struct AcceleratorReport: Sendable, Hashable {
  package enum Finding: Sendable, Hashable {
    /// The guest was ready after this many seconds, and powered off.
    case works(version: String?, seconds: Double)
    /// Its firmware ran. There is no guest to boot.
    case starts(version: String?)
    /// It failed. `why` is a sentence, then the end of QEMU's output.
    case fails(version: String?, why: [String], advice: String?)
  }

  /// QEMU's path.
  package let program: String
  /// `managed`, `system` or `folder`.
  package let origin: String
  /// The release of a managed QEMU.
  package let release: String?
  /// The guests' architecture.
  package let architecture: Architecture
  package let accelerator: String
  package let result: Finding

  /// Whether the trial succeeded.
  package var works: Bool { if case .fails = result { false } else { true } }

  /// `works`, `starts` or `fails`.
  package var word: String {
    switch result {
    case .works: "works"
    case .starts: "starts"
    case .fails: "fails"
    }
  }

  package var version: String? {
    switch result {
    case .works(let version, _), .starts(let version), .fails(let version, _, _): version
    }
  }

  package var seconds: Double? {
    if case .works(_, let seconds) = result { seconds } else { nil }
  }

  package var why: [String] {
    if case .fails(_, let why, _) = result { why } else { [] }
  }

  package var advice: String? {
    if case .fails(_, _, let advice) = result { advice } else { nil }
  }

  package var json: JSONObject {
    [
      "program": .string(program), "origin": .string(origin),
      "release": release.map { .string($0) } ?? .null,
      "platform": .string(architecture.rawValue), "accelerator": .string(accelerator),
      "works": .bool(works), "result": .string(word),
      "version": version.map { .string($0) } ?? .null,
      "secondsToReady": seconds.map { .double($0) } ?? .null,
      "why": .array(why.map { .string($0) }), "advice": advice.map { .string($0) } ?? .null,
    ]
  }

  /// What to do about an accelerator that fails with this output.
  static func advice(for log: [String], _ accelerator: String) -> String {
    // tcg has no fallback.
    if accelerator == "tcg" {
      return "Reinstall this QEMU, or set QVM_QEMU to managed, system or another folder."
    }
    let text = log.joined(separator: "\n").lowercased()
    if text.contains("msr 0x") {
      return "No action is needed: qvm falls back to tcg. To use KVM, try --cpu qemu64."
    }
    if text.contains("invalid accelerator") || text.contains("not compiled") {
      return
        "No action is needed: qvm falls back to tcg. Or use a QEMU that was built with \(accelerator)."
    }
    if accelerator == "kvm", text.contains("permission denied") {
      return KVMAccess.advice
    }
    return "No action is needed: qvm falls back to tcg."
  }
}
