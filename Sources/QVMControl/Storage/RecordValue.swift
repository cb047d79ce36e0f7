package import QMPClient

/// A type that a member of a ``JSONRecord`` can have.
package protocol RecordValue: Sendable {
  var json: JSONValue { get }
  /// Reads a value; nil if it is of another type.
  static func read(_ json: JSONValue) -> Self?
}

extension String: RecordValue {
  package var json: JSONValue { .string(self) }
  package static func read(_ json: JSONValue) -> String? { json.string }
}

extension Bool: RecordValue {
  package var json: JSONValue { .bool(self) }
  package static func read(_ json: JSONValue) -> Bool? { json.bool }
}

/// A number out of range becomes the nearest one, so that no damaged file can stop qvm.
extension RecordValue where Self: FixedWidthInteger {
  package var json: JSONValue { .integer(Int64(clamping: self)) }
  package static func read(_ json: JSONValue) -> Self? { json.int.map(Self.init(clamping:)) }
}

extension Int: RecordValue {}
extension Int32: RecordValue {}
extension UInt64: RecordValue {}

/// Seconds, written to the millisecond.
extension Double: RecordValue {
  package var json: JSONValue { .double((self * 1000).rounded() / 1000) }
  package static func read(_ json: JSONValue) -> Double? { json.double }
}

/// Elements of another type are left out.
extension Array: RecordValue where Element: RecordValue {
  package var json: JSONValue { .array(map(\.json)) }
  package static func read(_ json: JSONValue) -> [Element]? {
    json.array?.compactMap(Element.read)
  }
}

extension RecordValue where Self: RawRepresentable, RawValue == String {
  package var json: JSONValue { .string(rawValue) }
  package static func read(_ json: JSONValue) -> Self? {
    json.string.flatMap(Self.init(rawValue:))
  }
}

extension Timestamp: RecordValue {
  package var json: JSONValue { .string(description) }
  package static func read(_ json: JSONValue) -> Timestamp? {
    json.string.flatMap { Timestamp($0) }
  }
}
