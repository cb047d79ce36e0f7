package import QMPClient

/// All that a supervisor is told, as one line of JSON.
package struct LaunchPlan: Sendable, Hashable {
  package enum Kind: String, Sendable {
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

  package var json: JSONValue {
    var object: JSONObject = [
      "kind": .string(kind.rawValue), "cache": .string(cache), "name": .string(name),
      "command": .array(command.map(JSONValue.string)),
      "isPortFixed": .bool(isPortFixed),
      "removeOnShutdown": .bool(removeOnShutdown),
      "shutdownTimeout": .integer(Int64(shutdownTimeout)),
      "waitsForConsole": .bool(waitsForConsole), "isFirst": .bool(isFirst),
    ]
    if consoleCut > 0 { object["consoleCut"] = .integer(Int64(consoleCut)) }
    object["runtimeFolder"] = runtimeFolder.map(JSONValue.string)
    object["recording"] = recording.map(JSONValue.string)
    return .object(object)
  }

  /// Where the sockets are.
  func runtime(_ files: InstanceFiles) -> RuntimeFolder {
    runtimeFolder.map { RuntimeFolder(path: $0) } ?? .of(files)
  }
}

extension LaunchPlan {
  /// Reads a plan; nil where something is missing.
  package init?(_ json: JSONValue) {
    guard let kind = json["kind"]?.string.flatMap(Kind.init(rawValue:)),
      let cache = json["cache"]?.string, let name = json["name"]?.string,
      let command = json["command"]?.array?.compactMap(\.string),
      let isPortFixed = json["isPortFixed"]?.bool,
      let removeOnShutdown = json["removeOnShutdown"]?.bool,
      let shutdownTimeout = json["shutdownTimeout"]?.int,
      let waitsForConsole = json["waitsForConsole"]?.bool, let isFirst = json["isFirst"]?.bool
    else { return nil }
    self.init(
      kind: kind, cache: cache, name: name, command: command,
      runtimeFolder: json["runtimeFolder"]?.string, isPortFixed: isPortFixed,
      removeOnShutdown: removeOnShutdown,
      shutdownTimeout: shutdownTimeout, waitsForConsole: waitsForConsole, isFirst: isFirst,
      consoleCut: json["consoleCut"]?.int ?? 0, recording: json["recording"]?.string)
  }
}
