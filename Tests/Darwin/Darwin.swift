// swift-format-ignore-file
// What Swift adds to the C module `Darwin` by hand, as far as programs without frameworks want it:
// declarations only, since nothing of this is ever run.
// The names and their meaning are those of the C headers.
@_exported import Darwin

public var errno: Int32 {
  get { fatalError() }
  set { fatalError() }
}
public var environ: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> { fatalError() }
public var stdin: UnsafeMutablePointer<FILE> { fatalError() }
public var stdout: UnsafeMutablePointer<FILE> { fatalError() }
public var stderr: UnsafeMutablePointer<FILE> { fatalError() }

// Variadic in C, which Swift doesn't import.
public func open(_ path: UnsafePointer<CChar>, _ oflag: Int32) -> Int32 { fatalError() }
public func open(
  _ path: UnsafePointer<CChar>, _ oflag: Int32, _ mode: mode_t
) -> Int32 { fatalError() }
public func openat(
  _ fd: Int32, _ path: UnsafePointer<CChar>, _ oflag: Int32
) -> Int32 { fatalError() }
public func openat(
  _ fd: Int32, _ path: UnsafePointer<CChar>, _ oflag: Int32, _ mode: mode_t
) -> Int32 { fatalError() }
public func fcntl(_ fd: Int32, _ cmd: Int32) -> Int32 { fatalError() }
public func fcntl(_ fd: Int32, _ cmd: Int32, _ value: Int32) -> Int32 { fatalError() }
public func fcntl(
  _ fd: Int32, _ cmd: Int32, _ ptr: UnsafeMutableRawPointer
) -> Int32 { fatalError() }
public func ioctl(_ fd: CInt, _ request: UInt) -> CInt { fatalError() }
public func ioctl(_ fd: CInt, _ request: UInt, _ value: CInt) -> CInt { fatalError() }
public func ioctl(
  _ fd: CInt, _ request: UInt, _ ptr: UnsafeMutableRawPointer
) -> CInt { fatalError() }

@available(*, unavailable, message: "use threads or posix_spawn")
public func fork() -> Int32 { fatalError() }
@available(*, unavailable, message: "use threads or posix_spawn")
public func vfork() -> Int32 { fatalError() }

// Macros with casts or arithmetic, which Swift doesn't import.
public var S_IFMT: mode_t { fatalError() }
public var S_IFIFO: mode_t { fatalError() }
public var S_IFCHR: mode_t { fatalError() }
public var S_IFDIR: mode_t { fatalError() }
public var S_IFBLK: mode_t { fatalError() }
public var S_IFREG: mode_t { fatalError() }
public var S_IFLNK: mode_t { fatalError() }
public var S_IFSOCK: mode_t { fatalError() }
public var SIG_DFL: sig_t? { fatalError() }
public var SIG_IGN: sig_t { fatalError() }
public var SIG_ERR: sig_t { fatalError() }
public var MAP_FAILED: UnsafeMutableRawPointer! { fatalError() }
public var TIOCGWINSZ: UInt { fatalError() }
public var TIOCSWINSZ: UInt { fatalError() }
public var TIOCSCTTY: UInt { fatalError() }
public var TIOCNOTTY: UInt { fatalError() }
public var TIOCSTI: UInt { fatalError() }
public var TIOCOUTQ: UInt { fatalError() }
public var FIONREAD: UInt { fatalError() }
public var FIONBIO: UInt { fatalError() }

// Enumerators that the SDK's API notes name anew.
public var CLOCK_REALTIME: clockid_t { fatalError() }
public var CLOCK_MONOTONIC: clockid_t { fatalError() }
public var CLOCK_MONOTONIC_RAW: clockid_t { fatalError() }
public var CLOCK_UPTIME_RAW: clockid_t { fatalError() }
public var CLOCK_PROCESS_CPUTIME_ID: clockid_t { fatalError() }
public var CLOCK_THREAD_CPUTIME_ID: clockid_t { fatalError() }
