import QVMControl

/// The arguments of the command line are not available.
enum ArgumentsUnavailable: UserFacingError, Hashable {
  /// On Linux the standard library finds the arguments through `/proc/self/maps`. If it cannot read that,
  /// there are no arguments at all, not even the program's name.
  case unreadable

  var message: String { "cannot read the command-line arguments" }

  var advice: String? { "Make sure that /proc is mounted and that files can be opened." }
}
