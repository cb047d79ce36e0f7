#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient

/// Whether this user may use the host's KVM. If not, QEMU falls back to tcg without a message.
enum KVMAccess {
  static let device = "/dev/kvm"
  /// What the user can do about it.
  static let advice =
    "Add yourself to the group kvm with 'sudo usermod -aG kvm $USER' and log in again."

  /// Why the device can't be opened although it exists; nil if it can be, or doesn't exist.
  static var refusal: SystemError? {
    let number = open(device, O_RDWR | O_CLOEXEC)
    guard number < 0 else {
      close(number)
      return nil
    }
    let error = SystemError.last("open")
    return error.isForbidden ? error : nil
  }

  /// The hint for a guest that runs with tcg because of missing permissions.
  ///
  /// - Parameters:
  ///   - accelerator: The accelerator in use.
  ///   - wanted: QEMU's arguments, with the requested accelerators.
  ///   - refusal: Why the device can't be opened.
  /// - Returns: One line; nil if there is nothing to say.
  static func hint(
    running accelerator: String?, _ wanted: QEMUArguments, refusal: SystemError? = refusal
  ) -> String? {
    // A QEMU for another architecture can't use KVM.
    guard accelerator == "tcg", wanted.acceleratorList.contains("kvm"),
      Files.lastName(of: wanted.program) == "qemu-system-\(Host.architecture.qemuTarget)",
      let refusal
    else { return nil }
    return "the guest runs slowly, without KVM (\(device): \(refusal.reason)). \(advice)"
  }
}
