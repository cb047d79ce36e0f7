/// The timeouts and limits of downloads.
package struct TransferLimits: Sendable {
  /// The timeout of a connection, in seconds.
  package var connectSeconds = 20
  /// How long a transfer may be slower than 1 KiB/s, in seconds.
  package var stallSeconds = 60
  /// The timeout of a look-up, in seconds.
  package var lookUpSeconds = 60
  /// The timeout of the list of releases, in seconds. It is short because downloads work without
  /// the list.
  package var listingSeconds = 20
  /// After this many attempts without progress, a download or a look-up fails.
  package var attempts = 6
  /// The pause before the second attempt. Each later pause is twice as long.
  package var pause = Duration.seconds(1)
  /// The longest pause that a server may request.
  package var longestPause = Duration.seconds(60)
  /// The largest accepted file if its length is unknown, in bytes.
  package var largest = 32 << 30

  package init() {}
}
