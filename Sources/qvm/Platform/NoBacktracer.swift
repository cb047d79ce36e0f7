#if os(Linux)
  /// Stands in the place of the Swift runtime's search for its program that prints backtraces.
  ///
  /// The runtime of a static executable looks for it before `main`, beside `/proc/self/exe`, and aborts
  /// where /proc is missing, so that nobody could be told of that. The program isn't shipped with qvm
  /// anyway. The Makefile has the linker put this in its place (`--wrap`).
  ///
  /// - Returns: nil, which means that there is none.
  @c(__wrap_swift_copyAuxiliaryExecutablePath)
  public func noBacktracer() -> UnsafeMutableRawPointer? { nil }
#endif
