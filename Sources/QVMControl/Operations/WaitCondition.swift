internal import QMPClient

/// The condition that `qvm wait` waits for.
package enum WaitCondition: Sendable, Hashable, CustomStringConvertible {
  /// The guest is ready: its ssh server greets, or its console shows the driver's text.
  case ready
  /// The guest executes.
  case running
  /// The VM has ended.
  case stopped
  /// The console has shown a text since the start of this boot.
  case console(String)
  /// A program in the guest listens on a TCP port, 1 to 65535.
  case port(Int)

  package init?(word: String) {
    switch word {
    case "ready": self = .ready
    case "running": self = .running
    case "stopped": self = .stopped
    default:
      guard let colon = word.firstIndex(of: ":") else { return nil }
      let value = String(word[word.index(after: colon)...])
      switch word[..<colon] {
      case "console" where !value.isEmpty: self = .console(value)
      case "port":
        guard value.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
          let port = Int(value), 1...65535 ~= port
        else { return nil }
        self = .port(port)
      default: return nil
      }
    }
  }

  package var description: String {
    switch self {
    case .ready: "ready"
    case .running: "running"
    case .stopped: "stopped"
    case .console(let text): "console:\(text)"
    case .port(let port): "port:\(port)"
    }
  }
}

extension WaitCondition {
  /// The condition as a state: `vm is ready`.
  func state(of name: InstanceName) -> String {
    switch self {
    case .console(let text): "the console of \(name) shows '\(text)'"
    case .port(let port): "\(name) listens on its port \(port)"
    case .ready, .running, .stopped: "\(name) is \(self)"
    }
  }

  /// That it doesn't hold: `vm is not ready yet`.
  func lack(of name: InstanceName) -> String {
    switch self {
    case .console(let text): "the console of \(name) has not shown '\(text)' yet"
    case .port(let port): "\(name) does not listen on its port \(port) yet"
    case .ready, .running, .stopped: "\(name) is not \(self) yet"
    }
  }

  /// That it never held, after a sentence about the VM.
  var missed: String {
    switch self {
    case .console(let text): "its console never showed '\(text)'"
    case .port(let port): "it never listened on its port \(port)"
    case .ready, .running, .stopped: "it was never \(self)"
    }
  }
}

/// The result of a wait.
package enum WaitResult: Sendable, Hashable {
  case met
  /// The VM ended; `tail` are the last lines of its console.
  case ended(Outcome?, tail: [String])
  /// The VM was not running; `crash` is why the last boot crashed, nil if it didn't.
  case notRunning(crash: String?, tail: [String])
  /// The timeout passed; `signs` are the signs of life that the VM showed then.
  case timedOut(signs: String?, tail: [String])
  /// The VM runs, but its monitor has not answered and its console has not changed for so long.
  case dead(after: Duration, tail: [String])

  package var word: String {
    switch self {
    case .met: "met"
    case .ended, .notRunning: "ended"
    case .timedOut: "timed-out"
    case .dead: "dead"
    }
  }

  package var exitStatus: ExitStatus {
    switch self {
    case .met: .done
    case .ended, .notRunning: .endedFirst
    case .timedOut: .timedOut
    case .dead: .failed
    }
  }

  /// What to report.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - condition: What was waited for.
  ///   - option: The option that sets the timeout, such as `--timeout`.
  /// - Returns: A sentence, and lines with advice and the console's end; nil if the exit status says
  ///   everything.
  package func sentence(
    _ name: InstanceName, _ condition: WaitCondition, timeoutBy option: String
  ) -> String? {
    let head: String
    let last: [String]
    switch self {
    case .met: return nil
    case .ended(let outcome, let tail):
      let how = outcome.map { $0.sentence(name.text, disk: "") } ?? "\(name) is not running"
      head = "\(how.prefix { !$0.isNewline }); \(condition.missed)"
      last = tail
    case .notRunning(let crash, let tail):
      let how = crash.map { " (crashed: \(Outcome.text(forReason: $0)))" } ?? ""
      head = "\(name) is not running\(how)\n     Boot it with 'qvm start -d \(name)'."
      last = tail
    case .timedOut(let signs, let tail):
      head =
        "the time is up: \(condition.lack(of: name))" + (signs.map { ": \($0)" } ?? "")
        + "\n     \(option) sets a longer time, such as \(option) 30m."
      last = tail
    case .dead(let time, let tail):
      head = """
        \(name) seems dead: its monitor has not answered and its console has not changed for \
        \(Int(time.inSeconds)) s; \(condition.missed)
             'qvm stop --force \(name)' ends it.
        """
      last = tail
    }
    if last.isEmpty { return head }
    return head + "\nthe last lines of its console:" + last.map { "\n  \($0)" }.joined()
  }
}
