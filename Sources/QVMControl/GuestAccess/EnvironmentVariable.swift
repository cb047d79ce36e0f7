/// A variable for the environment of a task in a guest.
package struct EnvironmentVariable: Sendable, Hashable {
  package let name: String
  package let value: String

  /// What is wrong with the text of a variable, or with a file of them.
  package enum Failure: UserFacingError, Hashable {
    case badName(String)
    /// `line` counts from 1.
    case badLine(file: String, line: Int, text: String)
    case notText(file: String)

    package var message: String {
      switch self {
      case .badName(let name): "'\(name)' cannot be the name of an environment variable"
      case .badLine(let file, let line, let text):
        "line \(line) of \(file) sets no environment variable: '\(text)'"
      case .notText(let file): "\(file) is not a text in UTF-8"
      }
    }

    package var advice: String? {
      switch self {
      case .badName:
        "A name has letters, digits and underscores, and does not begin with a digit: -e NAME=VALUE."
      case .badLine:
        "Write NAME=VALUE on each line, without 'export' and without quotes, or NAME for qvm's own value."
      case .notText: "Name a file with NAME=VALUE on each line."
      }
    }

    package var exitStatus: ExitStatus { .usage }
  }

  /// Reads `NAME=VALUE`, or `NAME` for the value in this process's own environment.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - own: Looks a name up in the own environment.
  /// - Returns: Nil for a `NAME` that the own environment doesn't have.
  /// - Throws: ``Failure``.
  package static func read(
    _ text: String, own: (String) -> String? = { Host.environment($0) }
  ) throws(Failure) -> Self? {
    let equals = text.utf8.firstIndex(of: UInt8(ascii: "="))
    let name = String(text[..<(equals ?? text.endIndex)])
    guard isName(name) else { throw .badName(name) }
    guard let equals else { return own(name).map { Self(name: name, value: $0) } }
    return Self(name: name, value: String(text[text.utf8.index(after: equals)...]))
  }

  /// Reads a file with one variable a line. Empty lines, and lines that begin with `#`, are left out.
  ///
  /// - Throws: ``FileError`` if the file can't be read; ``Failure``.
  package static func read(file: String) throws -> [Self] {
    guard let text = String(validating: try Files.read(Files.absolute(file)), as: UTF8.self) else {
      throw Failure.notText(file: file)
    }
    var variables: [Self] = []
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.map(String.init).enumerated() {
      if line.isEmpty || line.utf8.first == UInt8(ascii: "#") { continue }
      do throws(Failure) {
        if let variable = try read(line) { variables.append(variable) }
      } catch {
        throw Failure.badLine(file: file, line: index + 1, text: line)
      }
    }
    return variables
  }

  private static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= first) else {
      return false
    }
    return name.utf8.allSatisfy { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "_") }
  }
}
