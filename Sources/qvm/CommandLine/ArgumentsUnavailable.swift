import QVMControl

/// The arguments of the command line are not available.
enum ArgumentsUnavailable: UserFacingError, Hashable {
  /// On Linux the standard library finds the arguments through `/proc/self/maps`. If it cannot read that,
  /// there are no arguments at all, not even the program's name.
  case unreadable
  /// The argument of this number, counted from 1, is no UTF-8. As text it would name another thing.
  case garbled(number: Int)

  var message: String {
    switch self {
    case .unreadable: "cannot read the command-line arguments"
    case .garbled(let number): "argument \(number) is not UTF-8, so nothing was done"
    }
  }

  var advice: String? {
    switch self {
    case .unreadable: "Make sure that /proc is mounted and that files can be opened."
    case .garbled:
      "A guest gets any bytes by standard input, by --script FILE, or by its own printf '\\377'."
    }
  }

  var exitStatus: ExitStatus {
    switch self {
    case .unreadable: .failed
    case .garbled: .usage
    }
  }
}
