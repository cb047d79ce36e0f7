/// A failure that a user can do something about.
///
/// Each area has an enum of its own that conforms; the cases carry the values involved, and this
/// protocol is how the command line turns any of them into two lines and an exit status.
package protocol UserFacingError: Error, Sendable {
  /// What went wrong, with the values involved. One sentence, no final full stop.
  var message: String { get }

  /// What the user can do about it, as an imperative sentence; nil where there is nothing to add.
  var advice: String? { get }

  /// The exit status of a command that ends with this failure.
  var exitStatus: ExitStatus { get }
}

extension UserFacingError {
  package var exitStatus: ExitStatus { .failed }
}
