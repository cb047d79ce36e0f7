internal import QMPClient

extension AcceleratorTrial {
  /// A sentence about a trial that ended at a stage without having come to its goal.
  func explanation(_ stage: Stage, _ end: ProcessEnd, hasTimedOut: Bool) -> String {
    let limit = "\(Int(limit.inSeconds.rounded(.up))) s"
    return switch (stage, hasTimedOut) {
    case (.starting, true): "QEMU's monitor did not answer within \(limit)"
    case (.booting, true): "the guest was not ready within \(limit)"
    case (.poweringOff, true): "the guest did not power off within \(limit)"
    case (.runningFirmware, true): "the firmware did not run within \(limit)"
    case (.quitting, true): "QEMU did not quit within \(limit)"
    case (.starting, false): "QEMU ended before the guest ran: \(end)"
    case (.booting, false): "QEMU ended before the guest was ready: \(end)"
    case (.runningFirmware, false): "the firmware did not go on running: \(end)"
    case (.poweringOff, false), (.quitting, false): "QEMU did not end properly: \(end)"
    }
  }
}
