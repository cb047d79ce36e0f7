/// A matrix that can't be run as asked.
package enum MatrixError: UserFacingError, Hashable {
  /// Two targets mean the same guest.
  case sameTarget(String)
  /// The instance that a target would get exists already.
  case nameTaken(String)
  case badJobs(Int)
  /// A report that can't be written into this folder.
  case noFolder(String)

  package var message: String {
    switch self {
    case .sameTarget(let label): "two targets mean \(label)"
    case .nameTaken(let name): "the instance '\(name)' exists already"
    case .badJobs(let count): "--jobs must be at least 1, not '\(count)'"
    case .noFolder(let folder): "there is no folder \(folder) that can be written to"
    }
  }

  package var advice: String? {
    switch self {
    case .sameTarget: "Leave out one of them."
    case .nameTaken(let name):
      "Each target gets a new instance. Choose another --name, or remove that instance with"
        + " 'qvm rm \(name)'."
    case .badJobs: "Leave out --jobs to let qvm choose."
    case .noFolder: "Create it first, or name another place."
    }
  }

  package var exitStatus: ExitStatus {
    switch self {
    case .sameTarget, .badJobs: .usage
    case .nameTaken, .noFolder: .failed
    }
  }
}
