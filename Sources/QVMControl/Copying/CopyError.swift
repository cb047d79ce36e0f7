/// A copy between host and guest that is wrong or went wrong.
package enum CopyError: UserFacingError, Hashable {
  /// What went wrong on the guest's side.
  package enum GuestProblem: Sendable, Hashable {
    case noTar
    case missing(String)
    case noFolder(String)
    case notFolder(String)
    /// A file is where a folder should be, or the other way round.
    case occupied(String)
    case several
    /// `place` is the last line of `df`, or the path.
    case full(place: String)
    case incomplete(got: Int, of: Int)
    /// The last words of the guest's tar or shell.
    case failed(String)
  }

  case missingOnHost(String)
  /// An operation on a file of this host failed.
  case host(FileError)
  /// Two sources that would get the same place.
  case sameName(String, String)
  case hostNotFolder(String)
  case noHostFolder(String)
  case guest(GuestProblem, name: String)
  /// The connection ended in the middle; `hasEnded` says whether the VM has.
  case lost(name: String, hasEnded: Bool, why: String)
  /// Fewer members arrived on the host than the guest had counted.
  case membersMissing(got: Int, of: Int, name: String)

  package var message: String {
    switch self {
    case .missingOnHost(let path): "there is no '\(path)' on this host"
    case .host(let error): error.message
    case .sameName(let first, let second): "'\(first)' and '\(second)' would get the same place"
    case .hostNotFolder(let path): "'\(path)' is not a folder on this host"
    case .noHostFolder(let path): "there is no folder '\(path)' on this host"
    case .guest(let problem, let name): problem.message(name)
    case .lost(let name, true, _): "the guest is gone: \(name) ended during the copy"
    case .lost(let name, false, let why):
      "the connection to \(name) was lost during the copy: \(why)"
    case .membersMissing(let got, let count, let name):
      "only \(got) of \(count) files and folders arrived from \(name)"
    }
  }

  package var advice: String? {
    switch self {
    case .missingOnHost: "Check the path. A file whose name has a colon is './a:b' here."
    case .host(let error) where error.cause.isFull: "Free some space there, and copy again."
    case .host(let error) where error.cause.isForbidden: "Check its owner and permissions."
    // That of the error may be about the cache.
    case .host: nil
    case .sameName: "Copy them one after the other, to different places."
    case .hostNotFolder: "Name an existing folder, or another path."
    case .noHostFolder: "Create it first."
    case .guest(let problem, let name): problem.advice(name)
    case .lost(let name, true, _): "Boot it with 'qvm start -d \(name)', and copy again."
    case .lost: "Copy again."
    case .membersMissing: "Copy again, when nothing in the guest changes these files."
    }
  }

  package var exitStatus: ExitStatus {
    if case .lost(_, true, _) = self { .endedFirst } else { .failed }
  }
}

extension CopyError.GuestProblem {
  func message(_ name: String) -> String {
    switch self {
    case .noTar: "the guest of '\(name)' has no tar, by which qvm copies"
    case .missing(let path): "there is no '\(path)' in \(name)"
    case .noFolder(let path): "there is no folder '\(path)' in \(name)"
    case .notFolder(let path): "'\(path)' is not a folder in \(name)"
    case .occupied(let path):
      "'\(path)' in \(name) is a folder where a file should be, or the other way round"
    case .several: "several files can be copied only into a folder that exists"
    case .full(let place): "the disk in \(name) is full: \(place)"
    case .incomplete(let got, let count):
      "only \(got) of \(count) files and folders arrived in \(name), so none was put in its place"
    case .failed(let why): "the copy failed in \(name): \(why)"
    }
  }

  func advice(_ name: String) -> String? {
    switch self {
    case .noTar: "Install it in the guest, or copy one file by 'qvm exec \(name) cat FILE'."
    case .missing: "'qvm exec \(name) ls -la' shows what is there. A relative path begins at home."
    case .noFolder(let path):
      "Create it first: 'qvm exec \(name) mkdir -p \(path)'. A relative path begins at home."
    case .notFolder: "Name a folder, or leave out the slash at the end."
    case .occupied: "Remove it, or name another path."
    case .several: "Create the folder first."
    case .full: "Free some space there, and copy again. Nothing was left there by this copy."
    case .incomplete: "Copy again."
    case .failed: nil
    }
  }
}
