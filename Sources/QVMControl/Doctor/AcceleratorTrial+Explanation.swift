internal import QMPClient

extension AcceleratorTrial {
  /// A sentence about a trial that ended at a stage without having come to its goal.
  ///
  /// - Parameters:
  ///   - stage: The stage.
  ///   - end: QEMU's.
  ///   - exceeded: The time that it had, where that was over.
  /// - Returns: The sentence.
  static func explanation(_ stage: Stage, _ end: ProcessEnd, exceeded: Duration?) -> String {
    let limit = "\(Int((exceeded ?? .zero).inSeconds.rounded(.up))) s"
    return switch (stage, exceeded != nil) {
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
