extension Download {
  /// What else is on the disk needs some room too.
  static let spare = 16 << 20

  /// Makes sure that there is room for what is still missing.
  func checkSpace() throws {
    guard let expected, let free = Files.freeSpace(at: folder) else { return }
    let missing = expected - received
    if free < missing + Self.spare {
      throw DownloadError.diskFull(folder: folder, needed: missing, free: free)
    }
  }

  /// The error as the user should read it.
  func told(_ error: DownloadError) -> any QVMFailure {
    switch error {
    case .unwritable(_, let why) where ResourceLimit.isReached(by: partial):
      return LimitError(program: "curl", why: why, limit: .fileSize)
    case .unwritable:
      guard let free = Files.freeSpace(at: folder), free < Self.spare else {
        return error
      }
      // The disk got full meanwhile; what is running needs the room more than a later attempt.
      let missing = expected.map { $0 - received }
      try? discard()
      return DownloadError.diskFull(
        folder: folder, needed: missing, free: Files.freeSpace(at: folder) ?? free)
    case .interrupted(let url, let why, let received, _):
      return DownloadError.interrupted(url: url, why: why, received: received, total: expected)
    default: return error
    }
  }
}
