/// Receives the progress of downloads.
///
/// Each download has a label. Several may run at the same time. Reports arrive on the event loop's
/// thread, at most ten a second for each download.
package struct ProgressReporter: Sendable {
  package enum Event: Sendable, Hashable {
    /// It begins, with `done` bytes of an earlier run; `total` is nil if unknown.
    case began(done: Int, total: Int?)
    /// Another process is downloading it, and this one waits; it has `done` bytes so far.
    case followed(done: Int, total: Int?)
    /// It has this many bytes by now; fewer than before if it had to start over.
    case advanced(to: Int)
    /// It has ended; `complete` says whether it has all bytes.
    case ended(complete: Bool)
  }

  private let report: @Sendable (String, Event) -> Void

  package init(_ report: @escaping @Sendable (_ label: String, _ event: Event) -> Void) {
    self.report = report
  }

  /// Ignores all reports.
  package static let silent = ProgressReporter { _, _ in }

  package func callAsFunction(_ label: String, _ event: Event) { report(label, event) }
}
