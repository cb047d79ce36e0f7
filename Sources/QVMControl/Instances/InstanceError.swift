/// An instance that can't be had, or not in that way.
package enum InstanceError: UserFacingError, Hashable {
  case badName(String)
  case noSuch(name: String)
  /// Its VM lives; `doing` says what was wanted of it, `pid` is QEMU's,
  /// nil where that runs in another container; `hasSSH` whether its guest has a server for that.
  case running(name: String, doing: String, pid: Int32?, since: Timestamp, hasSSH: Bool)
  /// Another command has it, and hasn't got a VM of it yet, or any more.
  /// `holder` says which, such as `process 123, to start it`.
  case busy(name: String, doing: String, holder: String? = nil)
  /// Another command was faster, and has removed it.
  case removed(name: String, doing: String)
  /// Another instance has the same name but for capitals.
  case similar(name: String, existing: String)
  case unreadable(FileError)
  case exists(name: String, as: String, wanted: String)
  case broken(name: String, why: String)
  /// Without the image under it a disk is worth nothing.
  case baseImageMissing(name: String, path: String)
  case cannotCreateDisk(path: String, why: String)
  /// It names its base image where that was before the cache was moved.
  case cannotMoveDisk(path: String, why: String)
  /// The host was restarted while it was written.
  case diskCorrupt(name: String, path: String, why: String)

  package var message: String {
    switch self {
    case .badName(let name): "'\(name)' is not an instance name"
    case .noSuch(let name): "no instance is named '\(name)'"
    case .running(let name, let doing, let pid, let since, _):
      "cannot \(doing) '\(name)': it is running (\(pid.map { "pid \($0)" } ?? "in another container"), since \(since))"
    case .busy(let name, let doing, let holder):
      "cannot \(doing) '\(name)': "
        + (holder.map { "it is held by \($0)" }
          ?? "another command is creating, starting or removing it")
    case .removed(let name, let doing):
      "cannot \(doing) '\(name)': it was removed by another command"
    case .similar(let name, let existing):
      "'\(name)' differs from the instance '\(existing)' in capitals alone"
    case .unreadable(let error): error.message
    case .exists(let name, let kind, let wanted):
      "the instance '\(name)' exists and is \(kind), not \(wanted)"
    case .broken(let name, let why): "the instance '\(name)' is broken: \(why)"
    case .baseImageMissing(let name, let path): "the base image of '\(name)' is gone: \(path)"
    case .cannotCreateDisk(let path, let why): "cannot create the disk \(path): \(why)"
    case .cannotMoveDisk(let path, let why):
      "cannot write into \(path) where its base image is now: \(why)"
    case .diskCorrupt(let name, _, let why):
      "the disk of '\(name)' was damaged when the host was restarted: \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .badName:
      "A name begins with a letter or digit and has up to 63 of them, dots, dashes and underscores."
    case .noSuch, .removed: "'qvm list' shows the instances there are."
    case .busy(let name, _, _): "'qvm status \(name)' tells how it is."
    case .running(let name, "remove", _, _, _):
      "'qvm rm --force \(name)' ends it first, without asking the guest;"
        + " 'qvm stop \(name)' shuts it down."
    case .running(let name, _, _, _, let hasSSH):
      "'qvm attach \(name)' brings it to this terminal, 'qvm console \(name)' shows its console"
        + (hasSSH ? ", 'qvm ssh \(name)' logs in" : "")
        + "; only to boot it anew stop it with 'qvm stop \(name)'."
    case .similar(_, let existing): "Choose another --name, or say --name \(existing)."
    case .unreadable(let error): error.advice
    case .exists: "Choose another --name, or remove that instance with 'qvm rm'."
    case .broken(let name, _): "Remove it with 'qvm rm \(name)'."
    case .baseImageMissing(let name, let path):
      Target.pullCommand(for: path).map {
        "Fetch the same one again with '\($0)', or remove the instance with 'qvm rm \(name)'."
      } ?? "Put the same file back, or remove the instance with 'qvm rm \(name)'."
    case .diskCorrupt(let name, let path, _):
      "'qemu-img check -r all \(QEMUArguments.shellQuoted(path))' repairs what can be;"
        + " 'qvm rm \(name)' removes the instance."
    case .cannotMoveDisk: "Check the free space there, and who owns it."
    case .cannotCreateDisk: "Check the free space there; QVM_CACHE can name another disk."
    }
  }

  package var exitStatus: ExitStatus {
    switch self {
    case .badName: .usage
    case .noSuch, .removed: .noSuchInstance
    default: .failed
    }
  }
}
