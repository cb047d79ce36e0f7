/// QEMU's output: the lines to show after a failure, and which causes they name. For some causes qvm
/// starts QEMU again with other arguments.
package struct QEMULog: Sendable {
  /// The lines without blank ones and without expected warnings, in order.
  package let lines: [String]

  /// Reads a log.
  ///
  /// Drivers list several accelerators, of which QEMU takes the first that works. Its warnings about the
  /// others belong to every healthy start and are left out.
  package init(text: String) {
    lines = text.split(whereSeparator: \.isNewline).map(String.init).filter { line in
      !line.allSatisfy(\.isWhitespace) && !Self.isNoise(line)
    }
  }

  package init(path: String) {
    // A failing QEMU prints its error last. The limit is for a QEMU that has printed for days.
    let size = Files.information(path)?.size ?? 0
    let bytes = (try? Files.read(path, from: max(0, size - 1 << 16))) ?? []
    self.init(text: String(decoding: bytes, as: UTF8.self))
  }

  private static func isNoise(_ line: String) -> Bool {
    let text = line.drop { $0 != ":" }.dropFirst()
    return text.hasPrefix(" invalid accelerator ") || text.hasPrefix(" falling back to ")
      || line.hasPrefix("Could not access KVM kernel module")
  }

  /// The last lines, at most `count`.
  package func tail(_ count: Int = 20) -> [String] { Array(lines.suffix(count)) }

  /// Whether the accelerator failed.
  package var blamesAccelerator: Bool {
    contains(anyOf: [
      "kvm_", "kvm:", "kvm kernel module", "kvm is not", "initialize kvm", "hvf", "hv_error",
      "accelerator", "msr 0x", "hypervisor",
    ])
  }

  /// Whether QEMU could not listen at the forwarded port, because another process does.
  package var blamesPortForward: Bool { contains(anyOf: ["host forwarding rule"]) }

  /// Whether QEMU could not listen at a port that is published.
  func blames(_ port: PublishedPort) -> Bool {
    lines.contains { $0.contains("host forwarding rule '\(port.rule)'") }
  }

  /// Whether this QEMU is too old for the `monitor-qmp` object.
  package var blamesMonitorObject: Bool { contains(anyOf: ["monitor-qmp"]) }

  /// Whether the host has too little memory for the guest.
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
