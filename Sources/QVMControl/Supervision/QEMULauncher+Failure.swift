internal import QMPClient

/// A QEMU that was started in vain.
extension QEMULauncher {
  /// Makes sure that the child is gone and says why it failed.
  func ended(_ child: ChildProcess, because error: any Error) async -> any Error {
    // A monitor that hung up means that QEMU is ending by itself: its own status tells more.
    switch error as? QMPError {
    case .disconnected, .transport: break
    // No instruction of the guest has run, so nothing is lost.
    default: child.signal(.kill)
    }
    let timer = loop.schedule(at: .now.advanced(by: .seconds(5))) { child.signal(.kill) }
    let end = await withCheckedContinuation { continuation in
      child.whenEnded { continuation.resume(returning: $0) }
    }
    loop.cancel(timer)
    let log = QEMULog(path: files.qemuLog)
    switch error {
    case QMPError.disconnected, QMPError.transport:
      if end == .signalled(Signal.kill.rawValue),
        let kill = memory.verdict(on: child.pid, start: nil)
      {
        return StartError.qemuEnded(end, log: log.tail(), hint: .memoryKill(kill))
      }
      return StartError.qemuEnded(end, log: log.tail(), hint: hint(log, end))
    case QMPError.cancelled, is CancellationError: return StartError.abandoned
    case let error as QMPError: return StartError.monitor(error, log: log.tail())
    default: return error
    }
  }

  private func hint(_ log: QEMULog, _ end: ProcessEnd) -> StartError.Hint? {
    if let limit = ResourceLimit(end, problem: log.lines.joined(separator: "\n")) {
      return .limit(limit)
    }
    if log.lines.contains(where: { $0.contains("Failed to get \"write\" lock") }) { return .image }
    if log.blamesMemory { return .memory }
    if let found = damage(log) { return found }
    return log.blamesAccelerator ? .accelerator : nil
  }

  /// What QEMU says when it can't open a disk, and not for what is in it.
  private static let othersFault = [
    "Permission denied", "No such file", "Operation not permitted", "Cannot allocate memory",
  ]

  /// What is wrong with the disk, where QEMU names it as the reason.
  private func damage(_ log: QEMULog) -> StartError.Hint? {
    let disk = "file=\(QEMUOptionValue.quoted(files.disk))"
    guard let line = log.lines.first(where: { $0.contains(disk) }),
      !Self.othersFault.contains(where: { line.contains($0) })
    else { return nil }
    return line.contains("backing file: ")
      ? .damagedBaseImage : .damagedDisk(path: files.disk, name: name.text)
  }
}
