import Testing

@testable import QVMControl

@Suite struct OperatingSystemTests {
  @Test(arguments: OperatingSystem.allCases)
  func `it is said who logs in and how to become root, if there is a login`(
    system: OperatingSystem
  ) {
    #expect(system.login?.user == system.sshUser)
    #expect(system.login?.password.contains("password") ?? true)
    switch system {
    case .demo: #expect(system.login == nil)
    case .haiku: #expect(system.login?.sentence == "logs in as 'user', who has root's rights")
    case .freebsd, .netbsd, .openbsd, .omnios:
      #expect(
        system.login?.sentence == "logs in as 'runner'; 'sudo -i' there makes you root")
    }
  }
}
