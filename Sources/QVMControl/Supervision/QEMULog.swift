/// What QEMU printed, read for people and for what can be mended.
package struct QEMULog: Sendable {
  /// The lines that mean something, in order.
  package let lines: [String]

  /// Reads a log.
  ///
  /// Left out is what a healthy start prints on a host without some of the accelerators: the
  /// drivers name several on purpose.
  package init(text: String) {
    lines = text.split(whereSeparator: \.isNewline).map(String.init).filter { line in
      !line.allSatisfy(\.isWhitespace) && !Self.isNoise(line)
    }
  }

  package init(path: String) {
    // Only the end matters, and a log may have grown long.
    let size = Files.information(path)?.size ?? 0
    let bytes = (try? Files.read(path, from: max(0, size - 1 << 16))) ?? []
    self.init(text: String(decoding: bytes, as: UTF8.self))
  }

  private static func isNoise(_ line: String) -> Bool {
    let text = line.drop { $0 != ":" }.dropFirst()
    return text.hasPrefix(" invalid accelerator ") || text.hasPrefix(" falling back to ")
      || line.hasPrefix("Could not access KVM kernel module")
  }

  /// The last lines, at most so many.
  package func tail(_ count: Int = 20) -> [String] { Array(lines.suffix(count)) }

  /// Whether the accelerator is what failed.
  package var blamesAccelerator: Bool {
    contains(anyOf: [
      "kvm_", "kvm:", "kvm kernel module", "kvm is not", "initialize kvm", "hvf", "hv_error",
      "accelerator", "msr 0x", "hypervisor",
    ])
  }

  /// Whether the forwarded port is what failed: another process listens there.
  package var blamesPortForward: Bool { contains(anyOf: ["host forwarding rule"]) }

  /// Whether the way of making a monitor is what this QEMU doesn't know.
  package var blamesMonitorObject: Bool { contains(anyOf: ["monitor-qmp"]) }

  /// Whether there was not enough memory.
  package var blamesMemory: Bool {
    contains(anyOf: ["cannot allocate memory", "set up guest memory"])
  }

  private func contains(anyOf words: [String]) -> Bool {
    lines.contains { line in
      let line = line.lowercased()
      return words.contains { line.contains($0) }
    }
  }
}
