/// An instance that does not exist, or cannot be used in that way.
package enum InstanceError: UserFacingError, Hashable {
  case badName(String)
  case noSuch(name: String)
  /// Its VM is running. `doing` is the verb of what was to be done; `pid` is QEMU's, nil if QEMU runs in
  /// another container; `hasSSH` tells whether its guest has an ssh server.
  case running(name: String, doing: String, pid: Int32?, since: Timestamp, hasSSH: Bool)
  /// Another command uses it, and its VM does not run yet or no longer runs.
  /// `holder` tells which command, such as `process 123, to start it`.
  case busy(name: String, doing: String, holder: String? = nil)
  /// Another command has removed it first.
  case removed(name: String, doing: String)
  /// Another instance's name differs only in upper and lower case.
  case similar(name: String, existing: String)
  case unreadable(FileError)
  case exists(name: String, as: String, wanted: String)
  case broken(name: String, why: String)
  /// A record that a newer qvm wrote. `why` names the file.
  case newer(name: String, why: String)
  /// The disk is not there, or is no regular file.
  case noDisk(name: String, path: String, isMissing: Bool)
  /// Its disk has another size than the one that was asked for; both are for people.
  case otherDiskSize(name: String, has: String, wanted: String)
  /// Its disk cannot be used without this file.
  case baseImageMissing(name: String, path: String)
  case cannotCreateDisk(path: String, why: String)
  /// Its disk names the place of the base image before the cache was moved.
  case cannotMoveDisk(path: String, why: String)
  /// The host was restarted while it was written.
  case diskCorrupt(name: String, path: String, why: String)

  package var message: String {
    switch self {
    case .badName(let name): "'\(name)' is not a valid instance name"
    case .noSuch(let name): "no instance is named '\(name)'"
    case .running(let name, let doing, let pid, let since, _):
      "cannot \(doing) '\(name)': it is running (\(pid.map { "pid \($0)" } ?? "in another container"), since \(since))"
    case .busy(let name, let doing, let holder):
      "cannot \(doing) '\(name)': "
        + (holder.map { "it is used by \($0)" }
          ?? "another command is creating, starting or removing it")
    case .removed(let name, let doing):
      "cannot \(doing) '\(name)': it was removed by another command"
    case .similar(let name, let existing):
      "'\(name)' differs from the instance '\(existing)' only in upper and lower case"
    case .unreadable(let error): error.message
    case .exists(let name, let kind, let wanted):
      "the instance '\(name)' exists already, and is \(kind), not \(wanted)"
    case .broken(let name, let why): "the instance '\(name)' is broken: \(why)"
    case .newer(let name, let why): "cannot use '\(name)': \(why)"
    case .noDisk(let name, let path, let isMissing):
      "the disk of '\(name)' \(isMissing ? "is missing" : "is not a regular file"): \(path)"
    case .otherDiskSize(let name, let has, let wanted):
      "the instance '\(name)' exists already, and its disk has \(has), not \(wanted)"
    case .baseImageMissing(let name, let path): "the base image of '\(name)' is gone: \(path)"
    case .cannotCreateDisk(let path, let why): "cannot create the disk \(path): \(why)"
    case .cannotMoveDisk(let path, let why):
      "cannot write the new place of the base image into \(path): \(why)"
    case .diskCorrupt(let name, _, let why):
      "the disk of '\(name)' was damaged when the host was restarted: \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .badName:
      "Use at most 63 letters, digits, dots, dashes and underscores, with a letter or digit first."
    case .noSuch, .removed: "'qvm list' shows all instances."
    case .busy(let name, _, _): "'qvm status \(name)' shows its state."
    case .running(let name, "remove", _, _, _):
      "Shut it down with 'qvm stop \(name)', or end it without asking the guest with"
        + " 'qvm rm --force \(name)'."
    case .running(let name, _, _, _, let hasSSH):
      "Reach it with 'qvm attach \(name)', 'qvm console \(name)'"
        + (hasSSH ? ", 'qvm ssh \(name)'" : "")
        + ". To boot it again, first run 'qvm stop \(name)'."
    case .similar(_, let existing): "Choose another --name, or use --name \(existing)."
    case .unreadable(let error): error.advice
    case .exists: "Choose another --name, or remove that instance with 'qvm rm'."
    case .broken(let name, _): "Remove it with 'qvm rm \(name)'."
    case .newer: "Use the newer qvm for this instance."
    case .noDisk(let name, _, _):
      "Put the disk back there, or remove the instance with 'qvm rm \(name)'."
    case .otherDiskSize:
      "Leave out --disk, or choose another --name. 'qvm rm' removes the instance with its disk."
    case .baseImageMissing(let name, let path):
      Target.pullCommand(for: path).map {
        "Download the same image again with '\($0)', or remove the instance with 'qvm rm \(name)'."
      } ?? "Restore the same file, or remove the instance with 'qvm rm \(name)'."
    case .diskCorrupt(let name, let path, _):
      "'qemu-img check -r all \(QEMUArguments.shellQuoted(path))' repairs what it can."
        + " 'qvm rm \(name)' removes the instance."
    case .cannotMoveDisk: "Check the owner of the file and the free space on its disk."
    case .cannotCreateDisk:
      "Check the free space there, or set QVM_CACHE to a folder on another disk."
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

extension InstanceError {
  /// An instance whose records can't be read, or must not be.
  init(unusable name: InstanceName, _ error: JSONFileError) {
    if case .futureSchema = error {
      self = .newer(name: name.text, why: error.message)
    } else {
      self = .broken(name: name.text, why: error.message)
    }
  }
}
