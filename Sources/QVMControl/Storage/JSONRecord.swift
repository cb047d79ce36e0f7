package import QMPClient

/// A record that is written and read by one table of its members.
package protocol JSONRecord: Sendable {
  /// A record to read into. Its optional members have the values of absent ones.
  static var blank: Self { get }
  /// Passes each member to the fields, in the order in which they are written.
  mutating func exchange(with fields: inout RecordFields)
}

/// A record that has a file of its own, with the version of its meaning as `schema`.
package protocol FileRecord: JSONRecord {
  static var schema: Int { get }
}

/// The members of a record while it is read, or while it is written.
///
/// One function of the record passes each property to it with the member's name, and it sets or gets
/// that property. A table of key paths would look alike, but `status` would execute twice as many
/// instructions.
package struct RecordFields {
  private enum Direction {
    case reading(JSONValue)
    case writing
  }

  private let direction: Direction
  /// What was written so far.
  fileprivate var object = JSONObject()
  /// The names of all members so far.
  fileprivate var names: [String] = []
  /// The first member that the record can't do without and that was not there.
  fileprivate var missing: String?

  /// For reading from an object.
  fileprivate init(from json: JSONValue) { direction = .reading(json) }

  /// For writing.
  fileprivate init() { direction = .writing }

  /// A member without which a record is damaged.
  mutating func required<Value: RecordValue>(_ name: String, _ property: inout Value) {
    switch direction {
    case .writing: write(property.json, name)
    case .reading(let json):
      if let value = json[name].flatMap(Value.read) {
        property = value
      } else {
        missing = missing ?? name
      }
    }
  }

  /// A member that is absent if the property is nil. A value of another type counts as absent.
  mutating func optional<Value: RecordValue>(_ name: String, _ property: inout Value?) {
    switch direction {
    case .writing: write(property?.json, name)
    case .reading(let json): property = json[name].flatMap(Value.read)
    }
  }

  /// A member that keeps the blank record's value if it is absent or of another type. The value
  /// `omitted` is not written.
  mutating func optional<Value: RecordValue & Equatable>(
    _ name: String, _ property: inout Value, omitting omitted: Value? = nil
  ) {
    switch direction {
    case .writing: write(property == omitted ? nil : property.json, name)
    case .reading(let json): if let value = json[name].flatMap(Value.read) { property = value }
    }
  }

  private mutating func write(_ value: JSONValue?, _ name: String) {
    names.append(name)
    object[name] = value
  }
}

extension JSONRecord {
  /// The members that are written.
  package var members: JSONObject { written.object }

  /// The names of all members, also of those that this record doesn't write.
  package var memberNames: [String] { written.names }

  private var written: RecordFields {
    var (record, fields) = (self, RecordFields())
    record.exchange(with: &fields)
    return fields
  }

  /// Reads a record from its JSON. Unknown members are ignored.
  ///
  /// - Parameters:
  ///   - json: The object.
  ///   - path: Its file, for the error.
  /// - Throws: ``JSONFileError/missing(member:path:)``.
  package init(_ json: JSONValue, _ path: String) throws(JSONFileError) {
    self = Self.blank
    var fields = RecordFields(from: json)
    exchange(with: &fields)
    if let missing = fields.missing { throw .missing(member: missing, path: path) }
  }
}

extension FileRecord {
  package var json: JSONValue {
    var object: JSONObject = ["schema": Self.schema.json]
    for member in members.members { object[member.name] = member.value }
    return .object(object)
  }

  /// Reads a record's file; nil if there is none.
  ///
  /// - Throws: ``JSONFileError`` for a damaged file or one of a newer qvm.
  package static func read(_ path: String) throws(JSONFileError) -> Self? {
    guard let json = try JSONFile.read(path) else { return nil }
    try json.checkSchema(schema, path)
    return try Self(json, path)
  }
}

extension JSONValue {
  /// The string value of a member of the file at `path`.
  func text(_ name: String, _ path: String) throws(JSONFileError) -> String {
    guard let text = self[name]?.string else { throw .missing(member: name, path: path) }
    return text
  }

  /// Refuses a file of a newer qvm, because the meaning of its members may have changed.
  func checkSchema(_ known: Int, _ path: String) throws(JSONFileError) {
    guard let schema = self["schema"]?.int else { throw .missing(member: "schema", path: path) }
    if schema > known { throw .futureSchema(schema, path: path) }
  }
}
