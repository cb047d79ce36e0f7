extension JSONValue {
  /// How deeply arrays and objects may be nested. QEMU's own parser allows 1,024 levels.
  public static let deepestNesting = 512

  /// Reads one JSON value from all of the bytes; white space may surround it.
  ///
  /// - Parameter bytes: UTF-8; a broken sequence inside a string becomes U+FFFD, as does half a
  ///   surrogate pair.
  /// - Throws: ``JSONError`` with the offset of the first byte that doesn't belong.
  public init(parsing bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    var parser = JSONParser(bytes: bytes)
    self = try parser.document()
  }

  /// Reads one JSON value from all of the text.
  ///
  /// - Throws: ``JSONError``.
  public init(parsing text: String) throws(JSONError) {
    try self.init(parsing: Array(text.utf8))
  }

  /// Reads one JSON value from all of the bytes.
  ///
  /// - Throws: ``JSONError``.
  public init(parsing bytes: [UInt8]) throws(JSONError) {
    let result = bytes.withUnsafeBufferPointer { buffer -> Result<JSONValue, JSONError> in
      do throws(JSONError) { return .success(try JSONValue(parsing: buffer)) } catch {
        return .failure(error)
      }
    }
    self = try result.get()
  }
}

/// A recursive-descent parser over bytes that aren't copied.
struct JSONParser {
  let bytes: UnsafeBufferPointer<UInt8>
  var offset = 0
  var depth = 0

  mutating func document() throws(JSONError) -> JSONValue {
    let value = try self.value()
    skipSpace()
    if offset < bytes.count { throw fail(.trailingBytes) }
    return value
  }

  func fail(_ reason: JSONError.Reason) -> JSONError {
    JSONError(reason: reason, offset: offset)
  }

  func unexpected() -> JSONError {
    offset < bytes.count ? fail(.unexpectedByte(bytes[offset])) : fail(.unexpectedEnd)
  }

  private mutating func skipSpace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x0A, 0x0D, 0x09: offset += 1
      default: return
      }
    }
  }

  mutating func take(_ byte: UInt8) -> Bool {
    guard offset < bytes.count, bytes[offset] == byte else { return false }
    offset += 1
    return true
  }

  private mutating func value() throws(JSONError) -> JSONValue {
    skipSpace()
    guard offset < bytes.count else { throw fail(.unexpectedEnd) }
    switch bytes[offset] {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw unexpected()
    }
  }

  private mutating func word(
    _ word: StaticString, _ value: JSONValue
  ) throws(JSONError) -> JSONValue {
    for index in 0..<word.utf8CodeUnitCount where !take(word.utf8Start[index]) {
      throw unexpected()
    }
    return value
  }

  private mutating func enter() throws(JSONError) {
    depth += 1
    if depth > JSONValue.deepestNesting { throw fail(.tooDeep) }
    offset += 1
    skipSpace()
  }

  private mutating func array() throws(JSONError) -> JSONValue {
    try enter()
    var items: [JSONValue] = []
    if !take(UInt8(ascii: "]")) {
      while true {
        items.append(try value())
        skipSpace()
        if take(UInt8(ascii: ",")) { continue }
        if take(UInt8(ascii: "]")) { break }
        throw unexpected()
      }
    }
    depth -= 1
    return .array(items)
  }

  private mutating func object() throws(JSONError) -> JSONValue {
    try enter()
    var members: [(name: String, value: JSONValue)] = []
    var repeated = false
    if !take(UInt8(ascii: "}")) {
      members.reserveCapacity(4)
      while true {
        skipSpace()
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else { throw unexpected() }
        let name = try string()
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw unexpected() }
        let value = try self.value()
        // Quadratic only up to the size of real QMP objects. In larger ones duplicates are removed
        // once, below.
        if members.count < 32 {
          repeated = repeated || members.contains { $0.name == name }
        } else {
          repeated = true
        }
        members.append((name, value))
        skipSpace()
        if take(UInt8(ascii: ",")) { continue }
        if take(UInt8(ascii: "}")) { break }
        throw unexpected()
      }
    }
    depth -= 1
    return .object(JSONObject(distinct: repeated ? Self.lastOfEach(members) : members))
  }

  private static func lastOfEach(
    _ members: [(name: String, value: JSONValue)]
  ) -> [(name: String, value: JSONValue)] {
    var places: [String: Int] = [:]
    var distinct: [(name: String, value: JSONValue)] = []
    for member in members {
      if let place = places[member.name] {
        distinct[place].value = member.value
      } else {
        places[member.name] = distinct.count
        distinct.append(member)
      }
    }
    return distinct
  }
}

extension JSONParser {
  /// Reads a number: exact if it is a 64-bit integer, else the nearest double.
  mutating func number() throws(JSONError) -> JSONValue {
    let start = offset
    let negative = take(UInt8(ascii: "-"))
    let digits = offset
    var magnitude: UInt64 = 0
    var overflow = false
    while offset < bytes.count, case let digit = bytes[offset] &- 0x30, digit <= 9 {
      let (product, high) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      overflow = overflow || high || carry
      magnitude = sum
      offset += 1
    }
    let count = offset - digits
    if count == 0 || (count > 1 && bytes[digits] == 0x30) { throw fail(.badNumber) }
    let fraction = try fractionAndExponent()
    if !fraction, !overflow {
      if !negative {
        return magnitude <= UInt64(Int64.max) ? .integer(Int64(magnitude)) : .unsigned(magnitude)
      }
      if magnitude <= UInt64(Int64.max) + 1 {
        return .integer(Int64(truncatingIfNeeded: 0 &- magnitude))
      }
    }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    guard let value = Double(text), value.isFinite else { throw fail(.badNumber) }
    return .double(value)
  }

  /// Skips a fraction and an exponent, such as `.5e-3`. Returns whether there was one.
  private mutating func fractionAndExponent() throws(JSONError) -> Bool {
    var found = false
    if take(UInt8(ascii: ".")) {
      found = true
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      found = true
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    return found
  }

  private mutating func digits() throws(JSONError) {
    let start = offset
    while offset < bytes.count, bytes[offset] &- 0x30 <= 9 { offset += 1 }
    if offset == start { throw fail(.badNumber) }
  }
}
