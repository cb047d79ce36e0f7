internal import QMPClient
internal import Synchronization

/// Has a program end with the process that runs it, whoever killed that.
///
/// Nobody is left to end a curl whose qvm got SIGKILL: it would go on for as long as the transfer
/// takes. Linux can send a signal at the death of the parent, and util-linux's `setpriv` asks for it
/// before it becomes the program. Elsewhere the program goes on to its end, under the lock that it
/// has inherited.
enum ParentDeathSignal {
  private static let options = ["--pdeathsig", "KILL"]
  /// What was found; the outer is nil before anybody has looked.
  private static let found = Mutex<String??>(nil)

  /// The command that becomes a program that is tethered, or just the program.
  static func command(
    _ program: String, _ arguments: [String]
  ) async -> (program: String, arguments: [String]) {
    guard let tether = await tether() else { return (program, arguments) }
    return (tether, options + [program] + arguments)
  }

  /// A `setpriv` that can do it; older ones can't.
  private static func tether() async -> String? {
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
