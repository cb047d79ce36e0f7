#if os(Linux)
  /// Replaces the Swift runtime's search for the program that prints backtraces.
  ///
  /// The runtime of a static executable searches beside `/proc/self/exe` before `main`. If /proc is
  /// missing, it aborts, so that qvm could not report that. The program is not shipped with qvm anyway.
  /// The Makefile tells the linker to use this function instead (`--wrap`).
  ///
  /// - Returns: nil: there is no such program.
  @c(__wrap_swift_copyAuxiliaryExecutablePath)
  public func noBacktracer() -> UnsafeMutableRawPointer? { nil }
#endif
