#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient

/// Whether this user may use the host's KVM. QEMU falls back to tcg without a word where not.
enum KVMAccess {
  static let device = "/dev/kvm"
  /// What to do where the user may not.
  static let advice =
    "Add yourself to the group kvm with 'sudo usermod -aG kvm $USER' and log in again."

  /// Why the device can't be opened though it is there; nil where it can be, or isn't there.
  static var refusal: SystemError? {
    let number = open(device, O_RDWR | O_CLOEXEC)
    guard number < 0 else {
      close(number)
      return nil
    }
    let error = SystemError.last("open")
    return error.isForbidden ? error : nil
  }

  /// What the user should know of a guest that runs with tcg for want of a right.
  ///
  /// - Parameters:
  ///   - accelerator: The one that it runs with.
  ///   - wanted: QEMU's arguments as they were wanted.
  ///   - refusal: Why the device can't be opened.
  /// - Returns: One line; nil for nothing.
  static func hint(
    running accelerator: String?, _ wanted: QEMUArguments, refusal: SystemError? = refusal
  ) -> String? {
    // A QEMU for another machine's guests has no use for it.
    guard accelerator == "tcg", wanted.acceleratorList.contains("kvm"),
      Files.lastName(of: wanted.program) == "qemu-system-\(Host.architecture.qemuTarget)",
      let refusal
    else { return nil }
    return "the guest runs slowly, without KVM (\(device): \(refusal.reason)). \(advice)"
  }
}
