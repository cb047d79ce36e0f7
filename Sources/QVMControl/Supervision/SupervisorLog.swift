/// The supervisor's log: its standard error.
enum SupervisorLog {
  /// Writes a line with the time.
  static func write(_ text: String) {
    _ = Files.writeSome(Array("\(Timestamp.now) \(ForeignText.lines(text))\n".utf8)[...], to: 2)
  }
}
