import Foundation
import QVMControl
import TestSupport
import Testing

@testable import qvm

/// A system that lacks what every other has.
@Suite(.timeLimit(.minutes(15))) struct BareSystemTests {
  @Test(arguments: ["list", "--help", "run --rm demo 1", "completions bash"])
  func `without /proc it says that it is missing, in the shipped program too`(
    words: String
  ) async throws {
    try await Sandbox.with { sandbox in
      let user = geteuid() == 0 ? [] : ["--user", "--map-root-user"]
      let result = try await sandbox.run(
        URL(filePath: "/usr/bin/env"),
        ["unshare", "--mount"] + user
          + [
            "sh", "-c",
            "mount -t tmpfs none /proc && exec '\(try Sandbox.program.path)' \(words)",
          ])
      #expect(result.status == 1, "\(result.err)")
      #expect(result.reports(ArgumentsUnavailable.unreadable), "\(result.err)")
      #expect(result.out.isEmpty)
    }
  }
}
