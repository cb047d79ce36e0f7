#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// Runs a body on a new thread, which blocks all signals but its own faults. Returns whether the
/// thread could be started.
///
/// The thread has a stack of 8 MiB on every platform, for the most deeply nested JSON. The defaults
/// of macOS and musl are far smaller.
package func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var attributes = pthread_attr_t()
  guard pthread_attr_init(&attributes) == 0 else { return false }
  defer { pthread_attr_destroy(&attributes) }
  pthread_attr_setstacksize(&attributes, 8 << 20)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))

  let box = Unmanaged.passRetained(Box(body))
  var everySignal = sigset_t()
  var before = sigset_t()
  sigfillset(&everySignal)
  // If a thread blocks the signal of a fault, the fault kills the process before the handler can
  // restore the terminal.
  for fault in [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] {
    sigdelset(&everySignal, fault)
  }
  pthread_sigmask(SIG_SETMASK, &everySignal, &before)
  defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
  #if canImport(Darwin)
    var thread: pthread_t?
    let result = pthread_create(
      &thread, &attributes,
      { argument in
        Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
  #else
    var thread = pthread_t()
    let result = pthread_create(
      &thread, &attributes,
      { argument in
        if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, box.toOpaque())
  #endif
  if result != 0 { box.release() }
  return result == 0
}
