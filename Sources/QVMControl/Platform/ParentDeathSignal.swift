internal import QMPClient
internal import Synchronization

/// Makes a program end with the process that runs it, even if that is killed.
///
/// If qvm gets SIGKILL, nothing would end its curl: it would run until the transfer is done. Linux
/// can send a signal when the parent dies. util-linux's `setpriv` requests that and then executes
/// the program. On other systems the program runs to its end, under the lock that it has inherited.
enum ParentDeathSignal {
  private static let options = ["--pdeathsig", "KILL"]
  /// The result of the search; the outer optional is nil before the search.
  private static let found = Mutex<String??>(nil)

  /// The command that runs a program with `setpriv`, or the program alone if there is none.
  static func command(
    _ program: String, _ arguments: [String]
  ) async -> (program: String, arguments: [String]) {
    guard let setpriv = await usableSetpriv() else { return (program, arguments) }
    return (setpriv, options + [program] + arguments)
  }

  /// The path of a `setpriv` that has `--pdeathsig`; older ones don't.
  private static func usableSetpriv() async -> String? {
    if let known = found.withLock({ $0 }) { return known }
    var usable: String?
    if let setpriv = Host.find("setpriv"), let shell = Host.find("true") {
      let trial = try? ChildProcess(.init(setpriv, options + [shell]))
      if let end = try? await trial?.ended(), end == .exited(0) { usable = setpriv }
    }
    let answer = usable
    found.withLock { $0 = .some(answer) }
    return answer
  }
}
