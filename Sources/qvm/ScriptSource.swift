import QVMControl

/// Where the lines of `--script` come from.
enum ScriptSource: Sendable, Hashable {
  case file(String)
  case standardInput

  /// A script that can't be read.
  enum Failure: UserFacingError, Hashable {
    case unreadable(path: String, why: String)

    var message: String {
      switch self {
      case .unreadable(let path, let why): "cannot read the script \(path): \(why)"
      }
    }

    var advice: String? { "--script takes a file of this machine, or - for standard input." }
    var exitStatus: ExitStatus { .usage }
  }

  /// - Parameter word: The option's value: a path, or `-`.
  init(_ word: String) { self = word == "-" ? .standardInput : .file(word) }

  /// The lines. Standard input is read once, and to its end.
  ///
  /// - Throws: ``Failure``.
  func read() throws(Failure) -> [UInt8] {
    switch self {
    case .standardInput: return Self.input
    case .file(let path):
      do throws(FileError) {
        return try Files.read(Files.absolute(path), limit: .max)
      } catch { throw .unreadable(path: path, why: error.cause.explanation) }
    }
  }

  private static let input: [UInt8] = {
    var bytes: [UInt8] = []
    while let part = Files.readSome(0) { bytes += part }
    return bytes
  }()
}
