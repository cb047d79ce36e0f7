internal import QMPClient

/// A QEMU that was started in vain.
extension Startup {
  /// Makes sure that the child is gone and says why it failed.
  func ended(_ child: ChildProcess, because error: any Error) async -> any Error {
    // A monitor that hung up means that QEMU is ending by itself: its own status tells more.
    var isEnding = false
    switch error as? QMPError {
    case .disconnected, .transport: isEnding = true
    default: child.signal(.terminate)
    }
    let timer = loop.schedule(at: .now.advanced(by: isEnding ? .seconds(5) : .seconds(2))) {
      child.signal(.kill)
    }
    let end = await withCheckedContinuation { continuation in
      child.whenEnded { continuation.resume(returning: $0) }
    }
    loop.cancel(timer)
    let log = QEMULog(path: files.qemuLog)
    switch error {
    case QMPError.disconnected, QMPError.transport:
      return StartError.qemuEnded(end, log: log.tail(), hint: Self.hint(log, end))
    case QMPError.cancelled, is CancellationError: return StartError.abandoned
    case let error as QMPError: return StartError.monitor(error, log: log.tail())
    default: return error
    }
  }

  private static func hint(_ log: QEMULog, _ end: ProcessEnd) -> StartError.Hint? {
    if let limit = ResourceLimit(end, complaint: log.lines.joined(separator: "\n")) {
      return .limit(limit)
    }
    if log.lines.contains(where: { $0.contains("Failed to get \"write\" lock") }) { return .image }
    if log.blamesMemory { return .memory }
    return log.blamesAccelerator ? .accelerator : nil
  }
}
