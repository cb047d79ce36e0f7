/// A console that can't be attached to.
package enum ConsoleError: UserFacingError, Hashable {
  case notRunning(name: String)
  case busy(name: String)
  case unreachable(name: String, why: String)

  package var message: String {
    switch self {
    case .notRunning(let name): "'\(name)' is not running"
    case .busy(let name): "another client is attached to the console of '\(name)'"
    case .unreachable(let name, let why): "cannot attach to the console of '\(name)': \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .notRunning(let name):
      "Boot it with 'qvm start -d \(name)'; 'qvm logs \(name)' shows the past."
    case .busy(let name):
      "Detach there (by default with Ctrl-] d); 'qvm logs -f \(name)' shows it meanwhile."
    case .unreachable(let name, _): "'qvm logs -f \(name)' shows what the guest writes."
    }
  }

  package var exitStatus: ExitStatus {
    if case .notRunning = self { .notRunning } else { .failed }
  }
}
