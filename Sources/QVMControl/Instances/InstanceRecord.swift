package import QMPClient

/// What an instance is. Written once as `instance.json`, when the instance is created.
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
