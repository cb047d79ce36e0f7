/// How patient downloads are.
package struct TransferLimits: Sendable {
  /// The seconds until a connection must be there.
  package var connectSeconds = 20
  /// The seconds that a transfer may be slower than 1 KiB/s.
  package var stallSeconds = 60
  /// The seconds that a look-up may take as a whole.
  package var lookUpSeconds = 60
  /// The seconds that the list of releases may take: it is worth less than the wait.
  package var listingSeconds = 20
  /// So many attempts without a byte of progress end a download or a look-up.
  package var attempts = 6
  /// The pause before the second attempt; each later one is twice as long.
  package var pause = Duration.seconds(1)
  /// The longest pause that a server may ask for.
  package var longestPause = Duration.seconds(60)
  /// The most bytes of a file whose length the server doesn't tell.
  package var largest = 32 << 30

  package init() {}
}
