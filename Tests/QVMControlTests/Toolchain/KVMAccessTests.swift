import QMPClient
import Testing

@testable import QVMControl

@Suite struct KVMAccessTests {
  private static let own = "/usr/bin/qemu-system-\(Host.architecture.qemuTarget)"
  private static let refusal = SystemError(call: "open", code: 13)

  private func hint(
    _ program: String = own, _ wanted: String = "kvm:hvf:tcg", running: String? = "tcg",
    refusal: SystemError? = refusal
  ) -> String? {
    KVMAccess.hint(
      running: running, QEMUArguments([program, "-machine", "type=q35,accel=\(wanted)"]),
      refusal: refusal)
  }

  @Test func `a user without access to KVM gets doctor's advice`() throws {
    let text = try #require(hint())
    #expect(text.contains("/dev/kvm: Permission denied"))
    #expect(text.hasSuffix(AcceleratorReport.advice(for: ["kvm: Permission denied"], "kvm")))
    #expect(!text.contains("\n"))
  }

  @Test func `no hint comes to a user who may, who chose tcg, or whose guest is of another kind`() {
    #expect(hint(refusal: nil) == nil)
    #expect(hint(running: "kvm") == nil)
    #expect(hint(Self.own, "tcg") == nil)
    #expect(hint("/usr/bin/qemu-system-riscv64") == nil)
  }
}
