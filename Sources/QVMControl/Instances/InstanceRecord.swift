package import QMPClient

/// What an instance is. Written as `instance.json` when the instance is created; only its published ports
/// are changed later.
package struct InstanceRecord: Sendable, Hashable {
  package static let schema = 1

  package let name: String
  package let target: Target
  package let createdAt: Timestamp
  /// The absolute path of its base image.
  package let baseImage: String
  /// The SHA-256 of that image, in lower-case hexadecimal digits; nil if unknown.
  package let baseDigest: String?
  /// The options of its creation, for the next boots.
  package let options: JSONObject

  package init(
    name: String, target: Target, createdAt: Timestamp, baseImage: String,
    baseDigest: String? = nil, options: JSONObject
  ) {
    self.name = name
    self.target = target
    self.createdAt = createdAt
    self.baseImage = baseImage
    self.baseDigest = baseDigest
    self.options = options
  }

  package var json: JSONValue {
    var object: JSONObject = [
      "schema": .integer(Int64(Self.schema)), "name": .string(name),
      "os": .string(target.operatingSystem.rawValue), "version": .string(target.version),
      "platform": .string(target.architecture.rawValue),
      "createdAt": .string(createdAt.description), "baseImage": .string(baseImage),
    ]
    object["baseDigest"] = baseDigest.map(JSONValue.string)
    object["options"] = .object(options)
    return .object(object)
  }

  /// Reads the record of an instance.
  ///
  /// - Throws: ``JSONFileError`` for a missing or damaged file or one of a newer qvm.
  package init(reading path: String) throws(JSONFileError) {
    guard let json = try JSONFile.read(path) else {
      throw .missing(member: "name", path: path)
    }
    try json.checkSchema(Self.schema, path)
    name = try json.text("name", path)
    baseImage = try json.text("baseImage", path)
    baseDigest = json["baseDigest"]?.string
    options = json["options"]?.object ?? JSONObject()
    guard let createdAt = Timestamp(try json.text("createdAt", path)) else {
      throw .missing(member: "createdAt", path: path)
    }
    self.createdAt = createdAt
    do {
      target = try Target(
        operatingSystem: try json.text("os", path), version: try json.text("version", path),
        platform: try json.text("platform", path), host: Host.architecture)
    } catch {
      throw .missing(member: "os", path: path)
    }
  }
}

extension InstanceRecord {
  /// The ports to publish at each boot; none if they can't be read.
  package var published: [PublishedPort] { (try? RunOverrides.published(in: options)) ?? [] }

  /// Changes the published ports in a record. All other members stay, also those of another qvm.
  ///
  /// Only the holder of the instance's `supervisor.lock` may do that.
  ///
  /// - Parameters:
  ///   - path: The record.
  ///   - edit: Changes the ports.
  /// - Throws: ``JSONFileError`` for a record that can't be read; ``RunOptionError`` for ports in it that
  ///   can't; ``FileError``.
  static func editPublished(
    in path: String, _ edit: (inout [PublishedPort]) -> Void
  ) throws {
    guard let json = try JSONFile.read(path), var object = json.object else {
      throw JSONFileError.missing(member: "name", path: path)
    }
    try json.checkSchema(schema, path)
    object["options"] = .object(
      try RunOverrides.options(object["options"]?.object ?? [:], editingPublished: edit))
    try JSONFile.write(.object(object), to: path)
  }
}

extension [PublishedPort] {
  /// Adds a port for the next boots. One that was chosen is chosen anew at each.
  mutating func keep(_ port: PublishedPort) {
    var port = port
    if port.isChosen { (port.port, port.isChosen) = (0, false) }
    removeAll { port.collides(with: $0) }
    append(port)
  }

  /// Removes a port, or the entry that it was chosen for.
  mutating func forget(_ port: PublishedPort) {
    let index = firstIndex { kept in
      kept.transport == port.transport && kept.address == port.address
        && (kept.port == port.port
          || port.isChosen && kept.port == 0 && kept.guestPort == port.guestPort)
    }
    if let index { remove(at: index) }
  }
}
