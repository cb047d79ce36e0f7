extension JSONParser {
  /// Reads a number: exact where it is an integer of 64 bits, else the nearest double.
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

  /// Steps over `.5e-3`; whether there was anything of the kind.
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
