package import QMPClient

/// All that a supervisor is told, as one line of JSON.
package struct LaunchPlan: Sendable, Hashable {
  package enum Kind: String, Sendable, RecordValue {
    /// Start QEMU.
    case boot
    /// Take over a QEMU that lost its supervisor.
    case adopt
  }

  package var kind: Kind
  package var cache: String
  package var name: String
  /// The driver's command with the user's changes, the program first; without qvm's own arguments.
  package var command: [String]
  /// The sockets' folder; nil where they are beside the disk.
  package var runtimeFolder: String?
  /// Whether the port is the user's choice, and so must be that one.
  package var isPortFixed: Bool
  /// The ports to publish.
  package var published: [PublishedPort] = []
  package var removeOnShutdown: Bool
  /// How long the guest may take to power off, in seconds.
  package var shutdownTimeout: Int
  /// Whether to wait with the first instruction until the console is attached.
  package var waitsForConsole: Bool
  /// Whether the disk was made for this very boot.
  package var isFirst: Bool
  /// How many of the console's first bytes were removed for this boot.
  package var consoleCut = 0
  /// Where to write down the conversation with QEMU; nil for nowhere.
  package var recording: String?

  package var json: JSONValue { .object(members) }

  /// Where the sockets are.
  func runtime(_ files: InstanceFiles) -> RuntimeFolder {
    runtimeFolder.map { RuntimeFolder(path: $0) } ?? .of(files)
  }
}

extension LaunchPlan: JSONRecord {
  package static let blank = LaunchPlan(
    kind: .boot, cache: "", name: "", command: [], isPortFixed: false, removeOnShutdown: false,
    shutdownTimeout: 0, waitsForConsole: false, isFirst: false)

  package mutating func exchange(with fields: inout RecordFields) {
    fields.required("kind", &kind)
    fields.required("cache", &cache)
    fields.required("name", &name)
    fields.required("command", &command)
    fields.required("isPortFixed", &isPortFixed)
    fields.optional("published", &published, omitting: [])
    fields.required("removeOnShutdown", &removeOnShutdown)
    fields.required("shutdownTimeout", &shutdownTimeout)
    fields.required("waitsForConsole", &waitsForConsole)
    fields.required("isFirst", &isFirst)
    fields.optional("consoleCut", &consoleCut, omitting: 0)
    fields.optional("runtimeFolder", &runtimeFolder)
    fields.optional("recording", &recording)
  }

  /// Reads a plan; nil where something is missing.
  package init?(_ json: JSONValue) {
    guard let plan = try? LaunchPlan(json, "the plan") else { return nil }
    self = plan
  }
}
