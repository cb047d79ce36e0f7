internal import QMPClient

extension JSONValue {
  /// The string value of a member of the file at `path`.
  func text(_ name: String, _ path: String) throws(JSONFileError) -> String {
    guard let text = self[name]?.string else { throw .missing(member: name, path: path) }
    return text
  }

  /// The integer value of a member of the file at `path`.
  func number(_ name: String, _ path: String) throws(JSONFileError) -> Int {
    guard let number = self[name]?.int else { throw .missing(member: name, path: path) }
    return number
  }

  /// Refuses a file of a newer qvm, because the meaning of its members may have changed.
  func checkSchema(_ known: Int, _ path: String) throws(JSONFileError) {
    let schema = try number("schema", path)
    if schema > known { throw .futureSchema(schema, path: path) }
  }
}
