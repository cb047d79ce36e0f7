package import QMPClient

/// Something that could not be done with a file or folder.
package struct FileError: QVMFailure, Hashable {
  /// What was tried, as a verb: `write`, `create`, `read`, `remove`, `rename`, `lock`.
  package let verb: String
  package let path: String
  package let cause: SystemError

  package var message: String { "cannot \(verb) \(path): \(cause.reason)" }

  package var advice: String? {
    if cause.isFull {
      return "Free some space there, or set QVM_CACHE to a folder on another disk."
    }
    if cause.isForbidden {
      return "Check who owns it, or set QVM_CACHE to a folder that you may write to."
    }
    return nil
  }
}
