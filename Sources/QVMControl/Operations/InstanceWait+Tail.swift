internal import QMPClient

extension InstanceWait {
  /// Adds what the user will want to see: how it ended, and the end of the console.
  func withTail(_ result: WaitResult) throws -> WaitResult {
    switch result {
    case .met, .notRunning: return result
    case .timedOut:
      return .timedOut(
        signs: (try? Liveness(of: name, in: store))?.sentence(), tail: tail())
    case .dead(let time, _): return .dead(after: time, tail: tail())
    case .ended:
      _ = Reconciliation.finish(name, in: store)
      return .ended(try? Outcome.read(files.outcome), tail: tail())
    }
  }

  /// The last lines of the console of the present boot, or of the last where that has ended.
  func tail(_ count: Int = 10) -> [String] {
    // Of a boot that has yet to begin there is nothing.
    if LockOwner(reading: files.supervisorLock)?.isBoot == true { return [] }
    let size = Files.information(files.console)?.size ?? 0
    let begin = ((try? BootRecord.read(files.boot)) ?? nil)?.consoleOffset ?? 0
    let bytes = (try? Files.read(files.console, from: max(begin, size - 4096))) ?? []
    return Array(ConsoleText.lines(bytes).suffix(count))
  }
}
