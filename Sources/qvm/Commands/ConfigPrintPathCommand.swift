import QVMControl

struct ConfigPrintPathCommand: Command {
  static let name = "config print-path"
  static let summary = "Print the absolute path of the cache folder."

  func run() throws -> ExitStatus {
    try Output.print("\(try Cache.fromEnvironment().path)\n")
    return .done
  }
}
