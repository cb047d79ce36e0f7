package import QMPClient

/// A record that is written and read by one table of its members.
package protocol JSONRecord: Sendable {
  /// A record to read into. Its optional members have the values of absent ones.
  static var blank: Self { get }
  /// The members in the order in which they are written.
  static var fields: [RecordField<Self>] { get }
}

/// A record that has a file of its own, with the version of its meaning as `schema`.
package protocol FileRecord: JSONRecord {
  static var schema: Int { get }
}

/// A member of a record: its name, and the property that it is written from and read into.
package struct RecordField<Record>: Sendable {
  let name: String
  /// The value to write; nil to leave the member out.
  fileprivate let value: @Sendable (Record) -> JSONValue?
  /// Reads the value of an absent or present member; false if the record can't do without.
  fileprivate let read: @Sendable (JSONValue?, inout Record) -> Bool

  /// A member without which a record is damaged.
  static func required<Value: RecordValue>(
    _ name: String, _ property: any WritableKeyPath<Record, Value> & Sendable
  ) -> Self {
    Self(name: name, value: { $0[keyPath: property].json }) { json, record in
      guard let value = json.flatMap(Value.read) else { return false }
      record[keyPath: property] = value
      return true
    }
  }

  /// A member that is absent if the property is nil. A value of another type counts as absent.
  static func optional<Value: RecordValue>(
    _ name: String, _ property: any WritableKeyPath<Record, Value?> & Sendable
  ) -> Self {
    Self(name: name, value: { $0[keyPath: property]?.json }) { json, record in
      record[keyPath: property] = json.flatMap(Value.read)
      return true
    }
  }

  /// A member that keeps the blank record's value if it is absent or of another type. The value
  /// `omitted` is not written.
  static func optional<Value: RecordValue & Equatable>(
    _ name: String, _ property: any WritableKeyPath<Record, Value> & Sendable,
    omitting omitted: Value? = nil
  ) -> Self {
    let value: @Sendable (Record) -> JSONValue? = {
      $0[keyPath: property] == omitted ? nil : $0[keyPath: property].json
    }
    return Self(name: name, value: value) { json, record in
      if let value = json.flatMap(Value.read) { record[keyPath: property] = value }
      return true
    }
  }
}

extension JSONRecord {
  /// The members that are written.
  package var members: JSONObject {
    var object = JSONObject()
    for field in Self.fields { object[field.name] = field.value(self) }
    return object
  }

  /// Reads a record from its JSON. Unknown members are ignored.
  ///
  /// - Parameters:
  ///   - json: The object.
  ///   - path: Its file, for the error.
  /// - Throws: ``JSONFileError/missing(member:path:)``.
  package init(_ json: JSONValue, _ path: String) throws(JSONFileError) {
    self = Self.blank
    for field in Self.fields where !field.read(json[field.name], &self) {
      throw .missing(member: field.name, path: path)
    }
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
