/// An operating system that qvm has drivers for.
package enum OperatingSystem: String, CaseIterable, Sendable {
  case freebsd, netbsd, openbsd, haiku, omnios
  /// The built-in demo guest, without a download and without ssh.
  case demo

  /// Reads the name of an operating system, in upper or lower case.
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

  /// The architectures with a driver.
  package var architectures: [Architecture] {
    Driver.all.filter { $0.operatingSystem == self }.map(\.architecture)
  }

  /// How people get into the guest: by ssh, and at the login prompt of its console.
  package struct Login: Sendable, Hashable {
    package let user: String
    /// The command that makes the user root in the guest; nil for a user with all rights.
    package let rootCommand: String?
    /// What to type for the password, as a few words: `no password`.
    package let password: String

    /// Whose login it is and how to become root, after "'qvm ssh NAME'".
    package var sentence: String {
      "logs in as '\(user)'"
        + (rootCommand.map { "; '\($0)' there makes you root" } ?? ", who has root's rights")
    }
  }

  /// The login that the images are made with; nil if the guest has none.
  package var login: Login? {
    switch self {
    case .freebsd:
      Login(
        user: "runner", rootCommand: "sudo -i",
        password: "no password, or 'runner' in images before v0.14.0")
    case .netbsd:
      Login(
        user: "runner", rootCommand: "sudo -i",
        password: "no password, or 'runner' in images before v1.0.0")
    case .openbsd:
      Login(user: "runner", rootCommand: "sudo -i", password: "password 'runner'")
    case .omnios: Login(user: "runner", rootCommand: "sudo -i", password: "no password")
    case .haiku: Login(user: "user", rootCommand: nil, password: "password 'runner'")
    case .demo: nil
    }
  }

  /// The user that can log in by ssh; nil if the guest has no ssh server.
  package var sshUser: String? { login?.user }

  /// The programs for building and copying that the images have besides the system's own.
  ///
  /// Source: the scripts that build the images.
  package var packages: [String] {
    switch self {
    case .freebsd, .netbsd, .openbsd, .omnios: ["sudo", "bash", "curl", "rsync"]
    case .haiku: ["bash", "rsync"]
    case .demo: []
    }
  }

  /// The repository whose releases hold the base images; nil for the demo guest, which is built in.
  package var builderRepository: String? {
    switch self {
    case .freebsd, .netbsd, .openbsd, .haiku, .omnios: "\(rawValue)-builder"
    case .demo: nil
    }
  }

  /// What shows that the guest is ready.
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
  /// FreeBSD on arm64 doesn't. The ACPI tables of QEMU's `virt` machine have no `\_S5`, so the
  /// kernel passes the press to devd, which has no rule for it. (FreeBSD commit a9880bfe1181.)
  package func obeysPowerButton(on architecture: Architecture) -> Bool {
    switch (self, architecture) {
    case (.freebsd, .arm64): false
    default: true
    }
  }

  /// The intervals after which the power button is pressed again while the guest hasn't reacted.
  /// The last one repeats.
  ///
  /// A press before the guest's ACPI is up is lost. illumos treats two presses within a second and
  /// a half as a cancellation, and an emulated guest that was held up gets two presses at once.
  package var pressIntervals: [Duration] {
    switch self {
    case .freebsd, .netbsd, .openbsd, .haiku, .demo: [.seconds(3), .seconds(5), .seconds(10)]
    case .omnios: [.seconds(10)]
    }
  }

  /// The default timeout for powering off, in seconds.
  ///
  /// FreeBSD's `rc.shutdown` gives its services 90 seconds. illumos ignores the button for 100
  /// seconds after a cancellation.
  package var shutdownTimeout: Int {
    switch self {
    case .freebsd, .netbsd, .openbsd, .haiku, .demo: 120
    case .omnios: 180
    }
  }

  /// The least memory that is accepted, in MiB. A smaller value is mostly a wrong unit. To work
  /// well, each guest needs much more.
  ///
  /// The demo guest was tested with its value. The others are well below what the makers of the
  /// systems require.
  package var leastMemory: Int {
    switch self {
    case .demo: 16
    case .freebsd, .netbsd, .openbsd, .haiku, .omnios: 64
    }
  }

  /// The size of the disk in the released images, in bytes; nil for the demo guest, which is built in.
  ///
  /// By the builders' `disk_size`, which has been the same in every release.
  package var imageDiskSize: Int? { self == .demo ? nil : 12 << 30 }

  /// How the guest gets at the room of a disk that is larger than its image: a sentence or two.
  ///
  /// qvm does not do it: behind the root's partition lies that of the swap (FreeBSD, OpenBSD, NetBSD, by
  /// their builders' scripts), and most of these systems can't grow a file system that is mounted.
  package var growthAdvice: String {
    switch self {
    case .freebsd:
      "In FreeBSD the swap partition lies behind that of the root: 'swapoff -a', 'gpart recover', 'gpart"
        + " delete', 'gpart resize' and 'growfs /' remove it and grow the root; 'gpart show' has the numbers."
    case .openbsd:
      "OpenBSD cannot grow its root while it runs. 'disklabel -E' (b, then a) makes a partition of the new"
        + " room, and 'newfs' a file system."
    case .netbsd:
      "NetBSD cannot grow its root while it runs. 'gpt resizedisk' and 'gpt add' make a partition of the new"
        + " room, and 'newfs' a file system."
    case .haiku:
      "Haiku cannot grow its file system. DriveSetup makes a partition of the new room."
    case .omnios:
      "In OmniOS 'sudo zpool online -e rpool DISK' grows its pool; 'zpool status rpool' names DISK."
    case .demo: "The demo guest does not use its disk."
    }
  }

  /// The shell command that powers the guest off; nil for a guest without a shell.
  ///
  /// In the images, `sudo` needs no password.
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
