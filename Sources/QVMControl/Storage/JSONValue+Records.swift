internal import QMPClient

extension JSONValue {
  /// The text of a member of a file.
  func text(_ name: String, _ path: String) throws(JSONFileError) -> String {
    guard let text = self[name]?.string else { throw .missing(member: name, path: path) }
    return text
  }

  /// The integer of a member of a file.
  func number(_ name: String, _ path: String) throws(JSONFileError) -> Int {
    guard let number = self[name]?.int else { throw .missing(member: name, path: path) }
    return number
  }

  /// Refuses a file that a newer qvm wrote: its meaning may have changed.
  func checkSchema(_ known: Int, _ path: String) throws(JSONFileError) {
    let schema = try number("schema", path)
    if schema > known { throw .futureSchema(schema, path: path) }
  }
}
