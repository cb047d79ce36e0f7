import QVMControl

struct StopCommand: Command {
  static let name = "stop"
  static let summary = "Shut instances down, and wait until they have stopped."
  static let discussion: String? = """
    qvm presses the guest's power button. If the guest has not powered off when the timeout is over,
    qvm ends QEMU.
    """
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", orNone: true, "Instances, as shown by 'qvm list'.", completing: .instances) {
      $0.names.append($1)
    },
    .flag("--all", short: "-a", "All instances that are running.") { $0.isAll = true },
    .option(
      "--timeout", "SECONDS", "How long a guest may take to power off (default: as with 'qvm run')."
    ) { (command: inout Self, time: Seconds) in command.timeout = time.count },
    .flag("--force", "End QEMU at once, without asking the guest.") { $0.isForced = true },
  ]

  var names: [String] = []
  var isAll = false
  var timeout: Int?
  var isForced = false

  func run() throws -> ExitStatus {
    if names.isEmpty, !isAll {
      throw UsageError.missingArgument(
        placeholder: "NAME", advice: "Name an instance, or give --all.")
    }
    if let name = names.first, isAll { throw UsageError.contradiction("--all", "'\(name)'") }
    if let timeout { _ = try RunOptionValidation.timeout(timeout) }
    let store = InstanceStore(try Cache.fromEnvironment())
    let names = try isAll ? running(in: store) : InstanceName.distinct(names)
    var stops: [StopRequest] = []
    var status = ExitStatus.done
    // All of them are asked first, so that they shut down in parallel.
    for name in names {
      do {
        stops.append(try StopRequest(name, in: store, force: isForced, timeout: timeout))
      } catch let failure as any UserFacingError {
        Output.report(failure)
        status = failure.exitStatus
      }
    }
    let asked = stops.filter(\.isOpen).map(\.name.text)
    if !asked.isEmpty, !isForced {
      Output.note("qvm: shutting down \(asked.joined(separator: ", "))…\n")
    }
    if !asked.isEmpty {
      let (names, them) = (asked.joined(separator: " "), asked.count == 1 ? "it" : "them")
      InterruptNote.install(
        "no longer waiting. \(asked.joined(separator: ", ")): the shutdown goes on;"
          + " \(InterruptNote.look(asked)), 'qvm stop --force \(names)' ends \(them) at once")
    }
    for stop in stops where stop.isBySignal {
      Output.note(
        "qvm: cannot reach the socket of the supervisor of \(stop.name). Sent a signal that tells it to "
          + (isForced
            ? "end QEMU\n"
            : "shut the guest down. 'qvm stop --force \(stop.name)' ends QEMU at once\n"))
    }
    let (total, isMany) = (stops.count, stops.count > 1)
    var done = 0
    StopRequest.wait(for: stops) {
      Output.note("qvm: \($0)\n")
    } ended: { name, end in
      done += 1
      let count = isMany ? " [\(done)/\(total)]" : ""
      do {
        let result = try end.get()
        // The lines after the first are about the disk.
        let lines = result.sentence.split(separator: "\n", maxSplits: 1)
        Output.note("qvm: \(lines[0])\(count)\n" + lines.dropFirst().map { "\($0)\n" }.joined())
        if !result.isGood { status = .failed }
      } catch let failure as any UserFacingError {
        Output.report(failure, after: count)
        status = failure.exitStatus
      } catch {
        Output.note("qvm: \(error)\(count)\n")
        status = .failed
      }
    }
    return status
  }

  /// The instances that have a VM, and those about which that cannot be told.
  private func running(in store: InstanceStore) throws -> [InstanceName] {
    let names = try store.listed().filter { name in
      (try? VMStatus.inspect(name, in: store))?.phase.isAlive ?? store.exists(name)
    }
    if names.isEmpty { Output.note("qvm: no instance is running\n") }
    return names
  }
}
