/// A package manager of this system.
package enum PackageManager: String, CaseIterable, Sendable {
  case brew
  // swift-format-ignore: AlwaysUseLowerCamelCase
  case apt_get = "apt-get"
  case dnf, zypper, pacman, apk

  /// A package that qvm may need.
  package enum Package: Sendable, Hashable {
    case curl, tar, zstd, openssh, qemuImg, bios
    case qemu(Architecture)
    case uefi(Architecture)
  }

  /// This system's package manager; nil if it has none of these.
  package static var current: PackageManager? { allCases.first { Host.find($0.rawValue) != nil } }

  /// A sentence that says how to install a package.
  package static func advice(for package: Package, with manager: PackageManager? = current)
    -> String
  {
    if let manager { return "Install it with '\(manager.command(for: package))'." }
    return "Install \(apt_get.name(of: package)) or what this system calls it."
  }

  /// The command that installs a package.
  package func command(for package: Package) -> String {
    let name = name(of: package)
    return switch self {
    case .brew: "brew install \(name)"
    case .apt_get: "sudo apt-get install \(name)"
    case .dnf: "sudo dnf install \(name)"
    case .zypper: "sudo zypper install \(name)"
    case .pacman: "sudo pacman -S \(name)"
    case .apk: "sudo apk add \(name)"
    }
  }

  private func name(of package: Package) -> String {
    switch (self, package) {
    case (_, .curl): "curl"
    case (_, .zstd): "zstd"
    case (.brew, .tar): "gnu-tar"
    case (_, .tar): "tar"
    case (.brew, .openssh), (.pacman, .openssh), (.apk, .openssh): "openssh"
    case (.dnf, .openssh), (.zypper, .openssh): "openssh-clients"
    case (_, .openssh): "openssh-client"
    // Homebrew's qemu includes qemu-img and all firmware.
    case (.brew, _): "qemu"

    case (.apt_get, .qemuImg): "qemu-utils"
    case (.apt_get, .bios): "seabios"
    case (.apt_get, .qemu(.x86_64)): "qemu-system-x86 qemu-utils ovmf"
    case (.apt_get, .qemu(.arm64)): "qemu-system-arm qemu-utils qemu-efi-aarch64"
    case (.apt_get, .uefi(.x86_64)): "ovmf"
    case (.apt_get, .uefi(.arm64)): "qemu-efi-aarch64"

    case (.dnf, .qemuImg): "qemu-img"
    case (.dnf, .bios): "seabios-bin"
    case (.dnf, .qemu(.x86_64)): "qemu-system-x86 qemu-img edk2-ovmf"
    case (.dnf, .qemu(.arm64)): "qemu-system-aarch64 qemu-img edk2-aarch64"
    case (.dnf, .uefi(.x86_64)): "edk2-ovmf"
    case (.dnf, .uefi(.arm64)): "edk2-aarch64"

    case (.zypper, .qemuImg): "qemu-img"
    case (.zypper, .bios): "qemu-seabios"
    case (.zypper, .qemu(.x86_64)): "qemu-x86 qemu-img qemu-ovmf-x86_64"
    case (.zypper, .qemu(.arm64)): "qemu-arm qemu-img qemu-uefi-aarch64"
    case (.zypper, .uefi(.x86_64)): "qemu-ovmf-x86_64"
    case (.zypper, .uefi(.arm64)): "qemu-uefi-aarch64"

    case (.pacman, .qemuImg): "qemu-img"
    case (.pacman, .bios): "seabios"
    case (.pacman, .qemu(.x86_64)): "qemu-system-x86 qemu-img edk2-ovmf"
    case (.pacman, .qemu(.arm64)): "qemu-system-aarch64 qemu-img edk2-aarch64"
    case (.pacman, .uefi(.x86_64)): "edk2-ovmf"
    case (.pacman, .uefi(.arm64)): "edk2-aarch64"

    case (.apk, .qemuImg): "qemu-img"
    case (.apk, .bios): "seabios-bin"
    case (.apk, .qemu(.x86_64)): "qemu-system-x86_64 qemu-img ovmf"
    case (.apk, .qemu(.arm64)): "qemu-system-aarch64 qemu-img aavmf"
    case (.apk, .uefi(.x86_64)): "ovmf"
    case (.apk, .uefi(.arm64)): "aavmf"
    }
  }
}
