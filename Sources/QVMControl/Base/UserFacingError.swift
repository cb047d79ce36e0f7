/// An error with a message for the user.
///
/// Each area has an error enum that conforms. Its cases carry the values involved. The command line
/// turns each error into two lines and an exit status.
package protocol UserFacingError: Error, Sendable {
  /// What went wrong, with the values involved. One sentence, no final full stop.
  var message: String { get }

  /// What the user can do about it, as an imperative sentence; nil if there is nothing to add.
  var advice: String? { get }

  /// The exit status of a command that fails with this error.
  var exitStatus: ExitStatus { get }
}

extension UserFacingError {
  package var exitStatus: ExitStatus { .failed }
}

extension Error {
  /// The message for the user; the description of an error that has none.
  var messageForUser: String { (self as? any UserFacingError)?.message ?? "\(self)" }
}
