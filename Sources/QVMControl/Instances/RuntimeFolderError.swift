/// A place for sockets that something else has.
package enum RuntimeFolderError: UserFacingError, Hashable {
  /// `isBeside`: whether the place is the instance's own folder.
  case unusable(FileError, isBeside: Bool)

  package var message: String {
    switch self {
    case .unusable(let error, _): error.message
    }
  }

  package var advice: String? {
    switch self {
    case .unusable(let error, _) where error.cause == .isInUse:
      "Another program listens there: end it, and try again."
    case .unusable(let error, isBeside: true): error.advice
    case .unusable(_, isBeside: false):
      "Remove what is there if it is yours, or set XDG_RUNTIME_DIR to a folder of yours with mode 0700."
    }
  }
}
