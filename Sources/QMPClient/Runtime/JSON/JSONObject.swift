/// The members of a JSON object, in the order in which they were written.
///
/// A list rather than a hash table: QMP's objects have few members, and building a table for each
/// message costs more than the look-ups that follow. Equality ignores the order.
public struct JSONObject: Sendable {
  /// The members in order; no name occurs twice.
  public private(set) var members: [(name: String, value: JSONValue)] = []

  /// Creates an object without members.
  public init() {}

  /// Creates an object of members whose names must differ.
  init(distinct members: [(name: String, value: JSONValue)]) { self.members = members }

  /// The value of a member; assigning nil removes the member.
  public subscript(_ name: String) -> JSONValue? {
    get {
      for member in members where member.name == name { return member.value }
      return nil
    }
    set {
      let index = members.firstIndex { $0.name == name }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append((name, value))
      case (nil, nil): break
      }
    }
  }

  /// Whether there are no members.
  public var isEmpty: Bool { members.isEmpty }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// Creates an object; of members with the same name, the last one counts.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    for (name, value) in elements { self[name] = value }
  }
}

extension JSONObject: Hashable {
  /// Whether both have the same members, in any order.
  public static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.members.count == right.members.count
      && left.members.allSatisfy { right[$0.name] == $0.value }
  }

  /// Feeds the members into the hasher regardless of their order.
  public func hash(into hasher: inout Hasher) {
    var combined = 0
    for member in members {
      var one = Hasher()
      one.combine(member.name)
      one.combine(member.value)
      combined ^= one.finalize()
    }
    hasher.combine(combined)
  }
}
