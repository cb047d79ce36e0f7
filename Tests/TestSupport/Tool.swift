package import Foundation
import QVMControl

/// The programs that the tests need; one that is missing fails the test that needs it.
package enum Tool: String, Sendable, CaseIterable {
  case qemuX86 = "qemu-system-x86_64"
  case qemuArm = "qemu-system-aarch64"
  case qemuImg = "qemu-img"
  case qemuIO = "qemu-io"
  case strace
  case unshare
  case python = "python3"

  /// Where it is.
  ///
  /// - Throws: An error with the line that installs it.
  package var url: URL {
    get throws {
      let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
      for folder in path.split(separator: ":") {
        let url = URL(filePath: String(folder)).appending(path: rawValue)
        if FileManager.default.isExecutableFile(atPath: url.path) { return url }
      }
      throw Sandbox.Failure("\(rawValue) is not installed: 'make deps' installs it")
    }
  }
}

/// The guests whose sources are in `Fixtures/Guests`.
package enum Guest: String, Sendable, CaseIterable {
  case demo, deaf, late, rebooting, crashing, panicking, slow, exiting, restarting, writing
  case uefiX86 = "uefi-x86-64"
  case uefiArm64 = "uefi-arm64"

  /// Its raw disk image, built when a test first asks for one.
  package var image: URL {
    get throws { try Self.folder.get().appending(path: "\(rawValue).img") }
  }

  private static let folder = built(by: "build.sh", into: "guests")

  /// Runs a script of `Fixtures/Guests`; the folder that it has filled.
  static func built(by script: String, into folder: String) -> Result<URL, any Error> {
    Result {
      let folder = Sandbox.package.appending(path: ".build/\(folder)")
      let script = Sandbox.package.appending(path: "Fixtures/Guests/\(script)").path
      guard try RunningCommand.runBlocking("/bin/sh", [script, folder.path]) == .exited(0) else {
        throw Sandbox.Failure("the guests could not be built by \(script)")
      }
      return folder
    }
  }
}

/// Linux with an ssh server, out of Debian's packages: what the BSDs are to qvm, in seconds.
package enum LinuxGuest: String, Sendable {
  case linux
  /// It ignores its power button, and obeys a command.
  case deaf = "linux-deaf"
  /// They take no login without a key, and look for it as the images of FreeBSD, NetBSD and OpenBSD do.
  case freebsdKeys = "linux-keys-freebsd"
  case netbsdKeys = "linux-keys-netbsd"
  case openbsdKeys = "linux-keys-openbsd"

  /// Its raw disk image, built when a test first asks for one.
  package var image: URL {
    get throws { try Self.folder.get().appending(path: "\(rawValue).img") }
  }

  private static let folder = Guest.built(by: "linux/build.sh", into: "guests-linux")
}
