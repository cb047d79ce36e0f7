/// A folder for sockets that cannot be used.
package enum RuntimeFolderError: UserFacingError, Hashable {
  /// `isBeside`: whether it is the instance's own folder.
  case unusable(FileError, isBeside: Bool)

  package var message: String {
    switch self {
    case .unusable(let error, _): error.message
    }
  }

  package var advice: String? {
    switch self {
    case .unusable(let error, _) where error.cause == .isInUse:
      "End that program, and try again."
    case .unusable(let error, isBeside: true): error.advice
    case .unusable(_, isBeside: false):
      "Remove it if it is yours, or set XDG_RUNTIME_DIR to a folder of your own with mode 0700."
    }
  }
}
