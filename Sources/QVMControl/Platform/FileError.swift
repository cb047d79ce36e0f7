package import QMPClient

/// An operation on a file or folder that failed.
package struct FileError: UserFacingError, Hashable {
  /// What was tried, as a verb: `write`, `create`, `read`, `remove`, `rename`, `lock`.
  package let verb: String
  package let path: String
  package let cause: SystemError

  package var message: String { "cannot \(verb) \(path): \(reason)" }

  private var reason: String {
    switch cause {
    case .notOwned: "it belongs to another user"
    case .isLink: "it is a symbolic link"
    case .notFile: "it is not a regular file"
    case .hasOtherNames: "the file has another name elsewhere (a hard link)"
    case .isOccupant: "something else is in its place"
    case .isInUse: "another program listens on it"
    case .isAnother: "another file has taken its place"
    default: cause.explanation
    }
  }

  package var advice: String? {
    if let limit = cause.limit { return limit.advice }
    if cause.isFull {
      return "Free some space there, or set QVM_CACHE to a folder on another disk."
    }
    if [.isLink, .notFile, .hasOtherNames, .isOccupant].contains(cause) {
      return "Check what it is, and remove it if it is not needed."
    }
    if cause.isForbidden {
      return "Check its owner and permissions, or set QVM_CACHE to a folder that you may write to."
    }
    // The folder that is to be created is the cache or in it.
    if verb == "create", cause.isAbsent { return "Set QVM_CACHE to a folder that can be created." }
    return nil
  }
}
