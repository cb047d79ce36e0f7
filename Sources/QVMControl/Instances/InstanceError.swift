/// An instance that can't be had, or not in that way.
package enum InstanceError: QVMFailure, Hashable {
  case badName(String)
  case noSuch(name: String)
  /// Another process holds the instance; `doing` says what was wanted of it.
  case running(name: String, doing: String)
  case exists(name: String, as: String, wanted: String)
  case broken(name: String, why: String)
  /// Without the image under it a disk is worth nothing.
  case baseImageMissing(name: String, path: String)
  /// The sockets' folder leaves no room for their names.
  case runtimePathTooLong(path: String, limit: Int)
  case cannotCreateDisk(path: String, why: String)

  package var message: String {
    switch self {
    case .badName(let name): "'\(name)' is not an instance name"
    case .noSuch(let name): "no instance is named '\(name)'"
    case .running(let name, let doing): "cannot \(doing) '\(name)': it is running"
    case .exists(let name, let kind, let wanted):
      "the instance '\(name)' exists and is \(kind), not \(wanted)"
    case .broken(let name, let why): "the instance '\(name)' is broken: \(why)"
    case .baseImageMissing(let name, let path): "the base image of '\(name)' is gone: \(path)"
    case .runtimePathTooLong(let path, let limit):
      "the socket path \(path) is longer than the \(limit) bytes that the system takes"
    case .cannotCreateDisk(let path, let why): "cannot create the disk \(path): \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .badName:
      "A name begins with a letter or digit and has up to 63 of them, dots, dashes and underscores."
    case .noSuch: "'qvm list' shows the instances there are."
    case .running(let name, _): "Stop it first with 'qvm stop \(name)'."
    case .exists: "Choose another --name, or remove that instance with 'qvm rm'."
    case .broken(let name, _): "Remove it with 'qvm rm \(name)'."
    case .baseImageMissing(let name, let path):
      BaseImage.command(fetching: path).map {
        "Fetch the same one again with '\($0)', or remove the instance with 'qvm rm \(name)'."
      } ?? "Put the same file back, or remove the instance with 'qvm rm \(name)'."
    case .runtimePathTooLong: "Set XDG_RUNTIME_DIR to a shorter path."
    case .cannotCreateDisk: "Check the free space there; QVM_CACHE can name another disk."
    }
  }

  package var exitStatus: ExitStatus {
    switch self {
    case .badName: .usage
    case .noSuch: .noSuchInstance
    default: .failed
    }
  }
}
