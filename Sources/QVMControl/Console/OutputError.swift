package import QMPClient

/// Standard output that cannot be written.
package struct OutputError: UserFacingError, Hashable {
  package let cause: SystemError

  package init(cause: SystemError) { self.cause = cause }

  package var message: String { "cannot write to standard output: \(cause.explanation)" }
  package var advice: String? { nil }
}
