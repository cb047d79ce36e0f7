/// An operating system that qvm has drivers for.
package enum OperatingSystem: String, CaseIterable, Sendable {
  case freebsd, netbsd, openbsd, haiku, omnios
  /// The built-in demo guest: it needs no download, and has no ssh.
  case demo

  /// The operating system that `word` names, in upper or lower case.
  package init?(word: String) {
    self.init(rawValue: word.lowercased())
  }

  package var displayName: String {
    switch self {
    case .freebsd: "FreeBSD"
    case .netbsd: "NetBSD"
    case .openbsd: "OpenBSD"
    case .haiku: "Haiku"
    case .omnios: "OmniOS"
    case .demo: "Demo"
    }
  }

  /// The architectures that there is a driver for.
  package var architectures: [Architecture] {
    Driver.all.filter { $0.operatingSystem == self }.map(\.architecture)
  }

  /// The user whom the image's ssh server lets in; nil where the guest has no ssh server.
  package var sshUser: String? {
    switch self {
    case .freebsd, .netbsd, .openbsd, .omnios: "runner"
    case .haiku: "user"
    case .demo: nil
    }
  }

  /// The repository whose releases hold the base images; nil for the demo guest, which is built in.
  package var builderRepository: String? {
    switch self {
    case .freebsd, .netbsd, .openbsd, .haiku, .omnios: "\(rawValue)-builder"
    case .demo: nil
    }
  }

  /// What shows that the guest is up.
  package enum Readiness: Sendable, Hashable {
    /// The ssh server's first bytes.
    case ssh
    /// This text on the serial console.
    case console(String)
  }

  package var readiness: Readiness {
    switch self {
    case .freebsd, .netbsd, .openbsd, .haiku, .omnios: .ssh
    case .demo: .console("ready")
    }
  }

  /// Whether the guest shuts down when its power button is pressed.
  ///
  /// FreeBSD on arm64 doesn't: the ACPI tables of QEMU's `virt` machine have no `\_S5`, so its
  /// kernel hands the press to devd, which has no rule for it. (FreeBSD commit a9880bfe1181.)
  package func obeysPowerButton(on architecture: Architecture) -> Bool {
    switch (self, architecture) {
    case (.freebsd, .arm64): false
    default: true
    }
  }

  /// After how long the power button is pressed again while the guest hasn't reacted; the last one
  /// again and again.
  ///
  /// A press before the guest's ACPI is up is lost. illumos takes two presses within a second and a
  /// half as a cancellation, and an emulated guest that was held up gets two of them at once.
  package var pressIntervals: [Duration] {
    switch self {
    case .freebsd, .netbsd, .openbsd, .haiku, .demo: [.seconds(3), .seconds(5), .seconds(10)]
    case .omnios: [.seconds(10)]
    }
  }

  /// How long the guest may take to power off, in seconds, where the user doesn't say.
  ///
  /// FreeBSD's `rc.shutdown` gives its services 90 seconds. illumos, once it has taken two presses
  /// as a cancellation, listens again after 100 seconds.
  package var shutdownTimeout: Int {
    switch self {
    case .freebsd, .netbsd, .openbsd, .haiku, .demo: 120
    case .omnios: 180
    }
  }

  /// The memory below which the guest doesn't boot, in MiB: less is a slip of the unit. To work well
  /// each needs much more.
  ///
  /// The demo guest was seen to boot with it; the others' are cautious, well below what their makers
  /// ask for.
  package var leastMemory: Int {
    switch self {
    case .demo: 16
    case .freebsd, .netbsd, .openbsd, .haiku, .omnios: 64
    }
  }

  /// What powers the guest off, for its shell; nil for a guest without one.
  ///
  /// The images let their user become root without a password, by `sudo`.
  package var powerOffCommand: String? {
    switch self {
    case .freebsd, .netbsd: "sudo -n shutdown -p now"
    case .openbsd: "sudo -n halt -p || doas -n halt -p"
    case .omnios: "sudo -n shutdown -y -g 0 -i 5"
    case .haiku: "shutdown"
    case .demo: nil
    }
  }
}
