import QMPClient
import Testing

@Suite struct JSONValueTests {
  @Test func `text that acts on a terminal, or on what is around it, is escaped`() throws {
    let text =
      "\u{1B}\u{7F}\u{80}\u{9B}\u{9F}\u{A0}\u{61C}\u{200D}\u{200E}\u{2028}\u{202E}\u{2066}\u{2069}é雪👩‍💻\n"
    let written = JSONValue.string(text).text
    #expect(
      written == #""\u001b\u007f\u0080\u009b\u009f"# + "\u{A0}" + #"\u061c"# + "\u{200D}"
        + #"\u200e\u2028\u202e\u2066\u2069é雪👩‍💻\n""#)
    #expect(try JSONValue(parsing: Array(written.utf8)).string == text)
  }

  @Test(
    arguments: [
      (JSONValue.null, "null"), (true, "true"), (-5, "-5"),
      (.unsigned(.max), "18446744073709551615"),
      (1.5, "1.5"), (.double(1e100), "1e+100"), (.double(.infinity), "null"),
      ("q\"b\\\n\r\t\u{1}\u{7F}/é🚀", #""q\"b\\\n\r\t\u0001\u007f/é🚀""#),
      ([1, "a", []], #"[1,"a",[]]"#), (["b": 1, "a": ["c": .null]], #"{"b":1,"a":{"c":null}}"#),
      (["k\"": ""], #"{"k\"":""}"#),
    ] as [(JSONValue, String)])
  func `a value is written minified, its members in order`(value: JSONValue, text: String) throws {
    #expect(value.text == text)
    if value != .double(.infinity) { #expect(try JSONValue(parsing: text) == value) }
  }

  @Test func `accessors give nil for values of another type`() {
    let values: [JSONValue] = [.null, true, 1, 1.5, "a", [], [:]]
    #expect(values.map(\.bool) == [nil, true, nil, nil, nil, nil, nil])
    #expect(values.map(\.int) == [nil, nil, 1, nil, nil, nil, nil])
    #expect(values.map(\.double) == [nil, nil, 1, 1.5, nil, nil, nil])
    #expect(values.map(\.string) == [nil, nil, nil, nil, "a", nil, nil])
    #expect(values.map { $0.array != nil } == [false, false, false, false, false, true, false])
    #expect(values.map { $0.object != nil } == [false, false, false, false, false, false, true])
    #expect(JSONValue.unsigned(.max).int == nil)
    #expect(JSONValue.array([1])["a"] == nil)
  }

  @Test func `objects are equal whatever the order of their members`() {
    let one: JSONObject = ["a": 1, "b": [2], "c": "x"]
    let other: JSONObject = ["c": "x", "a": 1, "b": [2]]
    #expect(one == other)
    #expect(one.hashValue == other.hashValue)
    #expect(one != ["a": 1, "b": [2]])
    #expect(one != ["a": 1, "b": [2], "d": "x"])
  }

  @Test func `members can be set, replaced and removed, and keep their places`() {
    var object: JSONObject = ["a": 1, "b": 2, "a": 3]
    #expect(object.members.map(\.name) == ["a", "b"])
    #expect(object["a"] == 3)
    object["c"] = 4
    object["a"] = nil
    object["missing"] = nil
    object["b"] = 5
    #expect(JSONValue.object(object).text == #"{"b":5,"c":4}"#)
    object["b"] = nil
    object["c"] = nil
    #expect(object.isEmpty)
  }
}
