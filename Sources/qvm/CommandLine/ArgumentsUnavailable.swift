import QVMControl

/// Why nobody can tell what was asked for.
enum ArgumentsUnavailable: UserFacingError, Hashable {
  /// On Linux the standard library finds the words by `/proc/self/maps`; where it can't, there are
  /// none at all, not even the program's name.
  case unreadable

  var message: String { "the words of the command line cannot be read" }

  var advice: String? { "Make sure that /proc is mounted and that files can be opened." }
}
