import TestSupport
import Testing

@testable import QVMControl

@Suite struct QEMULogTests {
  private static let healthy = """
    qemu-system-x86_64: invalid accelerator hvf
    Could not access KVM kernel module: No such file or directory
    qemu-system-x86_64: falling back to tcg

    """

  @Test func `what a healthy start prints is no complaint`() {
    let log = QEMULog(text: Self.healthy + "\n  \t\n\r\n")
    #expect(log.lines == [])
    #expect(!log.blamesAccelerator)
  }

  /// A line as QEMU prints it, and what it blames.
  struct Complaint: Sendable, CustomTestStringConvertible {
    let line: String
    var accelerator = false
    var port = false
    var memory = false

    var testDescription: String { line }
  }

  @Test(arguments: [
    Complaint(
      line: "qemu-system-x86_64: error: failed to set MSR 0x10a to 0x4000000", accelerator: true),
    Complaint(
      line: "qemu-system-x86_64: ../target/i386/kvm/kvm.c:2835: kvm_buf_set_msrs: Assertion"
        + " `ret == cpu->kvm_msr_buf->nmsrs' failed.", accelerator: true),
    Complaint(
      line: "qemu-system-aarch64: kvm_init_vcpu: kvm_arch_init_vcpu failed (0): Invalid argument",
      accelerator: true),
    Complaint(line: "qemu-system-aarch64: Error: ret = HV_ERROR (0xfae94001)", accelerator: true),
    Complaint(
      line: "qemu-system-x86_64: failed to initialize kvm: Permission denied", accelerator: true),
    Complaint(line: "qemu-system-x86_64: no accelerator found", accelerator: true),
    Complaint(
      line: "qemu-system-x86_64: -netdev user,id=user.0,hostfwd=tcp::2847-:22:"
        + " Could not set up host forwarding rule 'tcp::2847-:22'", port: true),
    Complaint(
      line: "qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory",
      memory: true),
    Complaint(line: "qemu-system-x86_64: -drive if=none: Failed to get \"write\" lock"),
    Complaint(line: "qemu-system-x86_64: -device nonsense: 'nonsense' is not a valid device model"),
  ])
  func `a complaint is kept, and blames what it names`(_ complaint: Complaint) {
    let log = QEMULog(text: Self.healthy + complaint.line + "\n")
    #expect(log.lines == [complaint.line])
    #expect(log.blamesAccelerator == complaint.accelerator)
    #expect(log.blamesPortForward == complaint.port)
    #expect(log.blamesMemory == complaint.memory)
  }

  @Test func `the tail is the end, in order`() {
    let log = QEMULog(text: (1...30).map { "line \($0)\n" }.joined())
    #expect(log.tail(2) == ["line 29", "line 30"])
    #expect(log.tail().first == "line 11")
    #expect(log.tail(100).count == 30)
  }

  @Test func `of a long log on the disk only the end is read`() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/qemu.log"
    let filler = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 17)
    try Files.write(Array("first\n".utf8) + filler + Array("\nlast\n".utf8), to: path)
    let log = QEMULog(path: path)
    #expect(log.lines.last == "last")
    #expect(!log.lines.contains("first"))
  }

  @Test func `a log that isn't there says nothing`() {
    #expect(QEMULog(path: "/nonexistent/qemu.log").lines == [])
  }

  @Test func `bytes that are no text do no harm`() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/qemu.log"
    try Files.write([0xFF, 0xFE, 0x0A, 0x00, 0x0A, 0xC3], to: path)
    #expect(QEMULog(path: path).lines.count == 3)
  }
}
