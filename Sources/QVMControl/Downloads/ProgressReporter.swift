/// Where downloads tell how far they are.
///
/// Each is named by its label; several go on at the same time. Reports come on the event loop's
/// thread, up to ten a second for each download.
package struct ProgressReporter: Sendable {
  package enum Event: Sendable, Hashable {
    /// It begins with so many bytes that an earlier run left; nil where the whole is unknown.
    case began(done: Int, total: Int?)
    /// Somebody else is at it, and is waited for; it had so many bytes when that was seen.
    case followed(done: Int, total: Int?)
    /// It has so many bytes by now; fewer than before where it had to start over.
    case advanced(to: Int)
    /// It is over; whether with all of its bytes.
    case ended(complete: Bool)
  }

  private let report: @Sendable (String, Event) -> Void

  package init(_ report: @escaping @Sendable (_ label: String, _ event: Event) -> Void) {
    self.report = report
  }

  /// For nobody.
  package static let silent = ProgressReporter { _, _ in }

  package func callAsFunction(_ label: String, _ event: Event) { report(label, event) }
}
