package import QMPClient

/// Reads and writes JSON files. Writing replaces the whole file.
package enum JSONFile {
  /// Writes an object.
  ///
  /// - Parameters:
  ///   - value: The object.
  ///   - path: The absolute path of its file.
  ///   - isLasting: Whether the new file must survive a power failure.
  /// - Throws: ``FileError``; the old file is unchanged.
  package static func write(
    _ value: JSONValue, to path: String, isLasting: Bool = true
  ) throws(FileError) {
    try Files.write(value.bytes + [UInt8(ascii: "\n")], to: path, isLasting: isLasting)
  }

  /// Reads an object; nil if there is no such file.
  ///
  /// - Throws: ``JSONFileError`` if the file can't be read or isn't a JSON object.
  package static func read(_ path: String) throws(JSONFileError) -> JSONValue? {
    let bytes: [UInt8]
    do throws(FileError) { bytes = try Files.read(path) } catch {
      if error.cause.isAbsent { return nil }
      throw .unreadable(error)
    }
    guard let value = try? JSONValue(parsing: bytes) else { throw .notJSON(path: path) }
    guard value.object != nil else { throw .notAnObject(path: path) }
    return value
  }
}

/// A JSON file of qvm that cannot be used.
package enum JSONFileError: UserFacingError, Hashable {
  case unreadable(FileError)
  case notJSON(path: String)
  case notAnObject(path: String)
  /// A member is missing or has another type.
  case missing(member: String, path: String)
  /// Written by a newer qvm.
  case futureSchema(Int, path: String)

  package var message: String {
    switch self {
    case .unreadable(let error): error.message
    case .notJSON(let path): "\(path) is damaged: it is not JSON"
    case .notAnObject(let path): "\(path) is damaged: it is not a JSON object"
    case .missing(let member, let path): "\(path) is damaged: \"\(member)\" is missing or invalid"
    case .futureSchema(let schema, let path): "\(path) is from a newer qvm (schema \(schema))"
    }
  }

  package var advice: String? {
    switch self {
    case .unreadable(let error): error.advice
    case .futureSchema: "Use the newer qvm for this instance."
    default: "Repair the file, or remove the instance with 'qvm rm'."
    }
  }
}
