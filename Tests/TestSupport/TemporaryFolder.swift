internal import Foundation

/// A folder of a test's own, with a path short enough for sockets; removed when let go of.
package final class TemporaryFolder: Sendable {
  package let path: String

  package init() throws {
    path = "/tmp/qmp-\(UUID().uuidString.prefix(12))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
