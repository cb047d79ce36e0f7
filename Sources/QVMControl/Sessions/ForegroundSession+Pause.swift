internal import QMPClient

/// Ctrl-Z, and what the guest writes meanwhile.
extension ForegroundSession {
  /// Ctrl-Z: this process stops, the VM runs on; `fg` shows what it wrote meanwhile.
  func suspend() {
    guard console != nil else {
      detachTerminal()
      return Signal.stopThisProcess()
    }
    if log == nil { position = placeInLog() }
    // A console that is attached and not read would hold up the guest.
    console?.close()
    console = nil
    detachTerminal()
    Signal.stopThisProcess()
    followLog()
    if let boot = try? BootRecord.read(files.boot) { SocketRenewal.ensureConsole(boot, files) }
    attachConsole()
  }

  /// Where in the log the end of what was shown is, in bytes.
  ///
  /// QEMU writes a byte to its log twice when the console took it only at a second attempt, so the
  /// count of what was shown says a little too few: the last bytes are looked for, from the end.
  private func placeInLog() -> Int {
    let size = Files.information(files.console)?.size ?? 0
    let from = max(position - Self.tailSize, size - (1 << 18), 0)
    guard tail.count == Self.tailSize,
      let bytes = try? Files.read(files.console, from: from), bytes.count >= tail.count
    else { return position }
    var start = bytes.count - tail.count
    while start >= 0 {
      if bytes[start] == tail[0], bytes[start..<start + tail.count].elementsEqual(tail) {
        return from + start + tail.count
      }
      start -= 1
    }
    return position
  }

  /// From now on the console's log is what is shown: the guest writes while the console is attached
  /// again, and only the place in the log tells what was shown before and what wasn't.
  private func followLog() {
    if log == nil, let watch = try? FileWatch(files.console) {
      let inputs = self.inputs
      let token = loop.watch(watch.descriptor.number, for: .read) {
        watch.clear()
        inputs.send(.logGrew)
      }
      log = (watch, token)
    }
    showLog(isPast: true)
  }

  func stopFollowingLog() {
    if let log { loop.cancel(log.token) }
    log = nil
  }

  /// Shows what is new in the log; of very much only the end.
  ///
  /// - Parameter isPast: Whether the guest wrote it while nobody answered.
  func showLog(isPast: Bool = false) {
    let missed = (Files.information(files.console)?.size ?? 0) - position
    if missed > Self.mostMissed {
      output.remark("\(missed - Self.mostMissed) bytes are only in \(files.console)")
      position += missed - Self.mostMissed
    }
    let bytes = (try? Files.read(files.console, from: position)) ?? []
    position += bytes.count
    output.show(bytes, isPast: isPast)
  }
}
