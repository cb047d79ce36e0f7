import Testing

@testable import QVMControl

@Suite struct PackageManagerTests {
  @Test(arguments: [
    (PackageManager.apt_get, "sudo apt-get install qemu-system-x86 qemu-utils ovmf"),
    (.brew, "brew install qemu"),
    (.dnf, "sudo dnf install qemu-system-x86 qemu-img edk2-ovmf"),
    (.pacman, "sudo pacman -S qemu-system-x86 qemu-img edk2-ovmf"),
  ])
  func `a missing QEMU is advised with the line that installs it`(
    manager: PackageManager, line: String
  ) {
    #expect(
      PackageManager.advice(for: .qemu(.x86_64), with: manager) == "Install it with '\(line)'.")
  }

  @Test func `where no package manager is known the package is named`() {
    #expect(
      PackageManager.advice(for: .uefi(.arm64), with: nil)
        == "Install qemu-efi-aarch64 or what this system calls it.")
  }
}
