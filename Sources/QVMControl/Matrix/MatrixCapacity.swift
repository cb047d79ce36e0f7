/// How many guests run side by side.
package struct MatrixCapacity: Sendable, Hashable {
  package let jobs: Int
  /// Why it isn't more, as part of a sentence; nil if all guests run at once.
  package let reason: String?

  /// Chooses the number from what the host has.
  ///
  /// All memory of each guest must be there. Processors may be shared by two: a guest that boots or
  /// builds seldom keeps all of its own busy.
  ///
  /// - Parameters:
  ///   - guests: How many guests there are.
  ///   - memory: What the largest of them has, in bytes.
  ///   - cpus: How many processors it has.
  ///   - available: The host's free memory, in bytes; nil if unknown.
  ///   - processors: The host's processors.
  package init(guests: Int, memory: Int, cpus: Int, available: Int?, processors: Int) {
    let byProcessors = max(1, 2 * processors / max(1, cpus))
    let byMemory = available.map { max(1, $0 / max(1, memory)) } ?? guests
    jobs = max(1, min(guests, byProcessors, byMemory))
    if jobs >= guests {
      reason = nil
    } else if byMemory <= byProcessors, let available {
      reason =
        "this host has \(ByteCount.text(available)) of free memory for guests of"
        + " \(ByteCount.text(memory))"
    } else {
      reason =
        "this host has \(processors) processor\(processors == 1 ? "" : "s") for guests of \(cpus)"
    }
  }
}

extension Driver {
  /// What its guest takes of the host, with the user's `memory` and `cpus` if there are any. The memory is in
  /// bytes.
  package func size(memory: String?, cpus: Int?) throws(RunOptionError) -> (memory: Int, cpus: Int)
  {
    let arguments = QEMUArguments(command(DriverPaths(cache: "/", image: "/")))
    let size = memory ?? arguments.value(of: "-m") ?? "0M"
    let own = arguments.value(of: "-smp").flatMap { Int($0) }
    return (try RunOptionValidation.memoryBytes(size), cpus ?? own ?? 1)
  }
}
