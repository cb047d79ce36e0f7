import QMPClient
import Testing

@Suite struct JSONParserTests {
  @Test(
    arguments: [
      ("null", JSONValue.null), ("true", true), (" false\r\n", false), ("0", 0), ("-0", 0),
      ("-17", -17), ("1.5", .double(1.5)), ("-2.5e-3", .double(-0.0025)), ("1E2", .double(100)),
      (#""""#, ""), (#""a/b""#, "a/b"), ("[]", []), ("[ 1 , [2], {} ]", [1, [2], [:]]),
      (#"{"a": {"b": [true]}, "c": null}"#, ["a": ["b": [true]], "c": .null]),
      (#""Grüße, 世界 🚀""#, "Grüße, 世界 🚀"),
    ] as [(String, JSONValue)])
  func `valid text gives its value`(text: String, value: JSONValue) throws {
    #expect(try JSONValue(parsing: text) == value)
  }

  @Test(
    arguments: [
      ("9223372036854775807", JSONValue.integer(.max)),
      ("-9223372036854775808", .integer(.min)),
      ("9223372036854775808", .unsigned(9_223_372_036_854_775_808)),
      ("18446744073709551615", .unsigned(.max)),
      ("9007199254740993", .integer(9_007_199_254_740_993)),
      ("18446744073709551616", .double(18_446_744_073_709_551_616)),
      ("-9223372036854775809", .double(-9_223_372_036_854_775_808)),
    ] as [(String, JSONValue)])
  func `integers of 64 bits stay exact`(text: String, value: JSONValue) throws {
    #expect(try JSONValue(parsing: text) == value)
    if case .double = value { return }
    #expect(value.text == text)
  }

  @Test(
    arguments: [
      (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u00e9\u00E9""#, "éé"),
      (#""\u0000""#, "\0"), (#""\uD83D\uDE80!""#, "🚀!"), (#""\ud83d""#, "\u{FFFD}"),
      (#""\ude80\ud83d""#, "\u{FFFD}\u{FFFD}"), (#""\ud83d\u0041""#, "\u{FFFD}A"),
      (#""\ud83d\ud83d\ude80""#, "\u{FFFD}🚀"), (#""\ud83dx""#, "\u{FFFD}x"),
      (#""\uffff""#, "\u{FFFF}"),
    ] as [(String, String)])
  func `escapes and surrogate pairs give their characters`(text: String, value: String) throws {
    #expect(try JSONValue(parsing: text) == .string(value))
  }

  @Test func `a broken UTF-8 sequence in a string becomes a replacement character`() throws {
    #expect(try JSONValue(parsing: [0x22, 0x61, 0xFF, 0x62, 0x22]) == "a\u{FFFD}b")
    #expect(try JSONValue(parsing: [0x22, 0xE2, 0x82, 0x22]) == "\u{FFFD}")
    #expect(try JSONValue(parsing: [0x22, 0x5C, 0x6E, 0xC3, 0x22]) == "\n\u{FFFD}")
  }

  @Test(
    arguments: [
      ("", JSONError.Reason.unexpectedEnd, 0), ("  ", .unexpectedEnd, 2),
      ("tru", .unexpectedEnd, 3),
      ("trUe", .unexpectedByte(0x55), 2), ("nul!", .unexpectedByte(0x21), 3),
      ("[1,", .unexpectedEnd, 3), ("[1 2]", .unexpectedByte(0x32), 3),
      ("[,]", .unexpectedByte(0x2C), 1), ("[1,]", .unexpectedByte(0x5D), 3),
      ("{", .unexpectedEnd, 1), (#"{"a"}"#, .unexpectedByte(0x7D), 4),
      (#"{"a":1,}"#, .unexpectedByte(0x7D), 7), ("{1:2}", .unexpectedByte(0x31), 1),
      (#""abc"#, .unexpectedEnd, 4), (#""\x""#, .badEscape, 2), (#""\u12"#, .unexpectedEnd, 5),
      (#""\u12g4""#, .badEscape, 5), ("\"\u{1}\"", .unexpectedByte(1), 1),
      ("\"\\n\u{1F}\"", .unexpectedByte(0x1F), 3), ("01", .badNumber, 2), ("-", .badNumber, 1),
      ("1.", .badNumber, 2), ("1e", .badNumber, 2), ("1e+", .badNumber, 3),
      (".5", .unexpectedByte(0x2E), 0),
      ("+1", .unexpectedByte(0x2B), 0), ("1e999", .badNumber, 5), ("{} {}", .trailingBytes, 3),
      ("'a'", .unexpectedByte(0x27), 0), ("NaN", .unexpectedByte(0x4E), 0),
    ] as [(String, JSONError.Reason, Int)])
  func `anything else is an error at the byte where it shows`(
    text: String, reason: JSONError.Reason, offset: Int
  ) {
    #expect {
      try JSONValue(parsing: text)
    } throws: { error in
      let error = error as? JSONError
      return error?.reason == reason && error?.offset == offset
    }
  }

  @Test(arguments: [("[", "]"), (#"{"a":"#, "}")] as [(String, String)])
  func `nesting is limited, and the deepest that is allowed is read`(
    open: String, close: String
  ) throws {
    func nested(_ depth: Int) -> String {
      String(repeating: open, count: depth) + (open == "[" ? "" : "1")
        + String(repeating: close, count: depth)
    }
    _ = try JSONValue(parsing: nested(JSONValue.deepestNesting))
    #expect {
      try JSONValue(parsing: nested(JSONValue.deepestNesting + 1))
    } throws: { ($0 as? JSONError)?.reason == .tooDeep }
  }

  @Test func `depth counts what is open, not what has been closed`() throws {
    let text = "[" + String(repeating: "[[]],{},", count: 2000) + "0]"
    #expect(try JSONValue(parsing: text).array?.count == 4001)
  }

  @Test(arguments: [2, 31, 32, 33, 500])
  func `of members with one name the last counts`(width: Int) throws {
    let members = (0..<width).map { #""m\#($0)": \#($0)"# }
    let text = "{" + (members + [#""m0": "last""#]).joined(separator: ",") + "}"
    let object = try #require(try JSONValue(parsing: text).object)
    #expect(object.members.count == width)
    #expect(object["m0"] == "last")
    #expect(object["m\(width - 1)"] == (width == 1 ? "last" : .integer(Int64(width - 1))))
    #expect(object.members.first?.name == "m0")
  }
}
