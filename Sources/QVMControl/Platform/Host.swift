#if canImport(Darwin)
  internal import Darwin
  // From <mach-o/dyld.h>, which the module Darwin doesn't include.
  internal import MachO
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient
internal import Synchronization

/// The host and this process.
package enum Host {
  #if canImport(Darwin)
    /// The operating system's name in the names of release assets.
    package static let system = "macos"
  #else
    /// The operating system's name in the names of release assets.
    package static let system = "linux"
  #endif

  #if arch(arm64)
    package static let architecture = Architecture.arm64
  #else
    package static let architecture = Architecture.x86_64
  #endif

  /// The accelerators that this kind of host may have, the fastest first.
  #if canImport(Darwin)
    static let accelerators = ["hvf", "tcg"]
  #else
    static let accelerators = ["kvm", "tcg"]
  #endif

  package static var userID: UInt32 { geteuid() }
  /// The real user id, even if the process is setuid.
  package static var realUserID: UInt32 { getuid() }
  package static var processID: Int32 { getpid() }

  /// Whether a user has an account on this system, or called `sudo`.
  ///
  /// Reads only /etc/passwd: other accounts would need a library that a static program can't load.
  package static func hasAccount(_ user: UInt32) -> Bool {
    if environment("SUDO_UID") == String(user) { return true }
    let lines = Files.text("/etc/passwd")?.split(separator: "\n") ?? []
    return lines.contains {
      let fields = $0.split(separator: ":", omittingEmptySubsequences: false)
      return fields.count > 2 && fields[2] == String(user)
    }
  }

  /// An environment variable; nil if it is unset or empty.
  package static func environment(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
  }

  /// An environment variable that holds a path; nil if it is unset or empty.
  ///
  /// `~/` means the user's home. A shell expands it only in some places, and many programs'
  /// settings don't pass through a shell.
  package static func environmentPath(_ name: String) -> String? {
    guard let path = environment(name) else { return nil }
    guard path == "~" || path.hasPrefix("~/"), let home = environment("HOME"), home.hasPrefix("/")
    else { return path }
    return home + path.dropFirst()
  }

  /// Whether a variable holds invalid UTF-8. As text it would name another path.
  package static func isGarbled(_ name: String) -> Bool {
    guard let value = getenv(name) else { return false }
    return String(validatingCString: value) == nil
  }

  /// The number of the first argument on the command line, counted from 1, that is no UTF-8; nil if all are.
  /// The standard library puts other characters in the place of its bytes.
  package static var garbledArgument: Int? {
    let arguments = UnsafeBufferPointer(
      start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    return arguments.indices.dropFirst().first { index in
      arguments[index].map { String(validatingCString: $0) == nil } ?? false
    }
  }

  /// The whole environment, as `NAME=value`.
  package static var environment: [String] {
    var entries: [String] = []
    var next = environ
    while let entry = next.pointee {
      entries.append(String(cString: entry))
      next += 1
    }
    return entries
  }

  package static var workingFolder: String? {
    guard let path = getcwd(nil, 0) else { return nil }
    defer { free(path) }
    return String(cString: path)
  }

  /// Changes the working folder to `/`, so that every disk can be unmounted.
  package static func leaveWorkingFolder() { chdir("/") }

  /// The path of this program, to spawn it again.
  package static var executable: String {
    #if canImport(Darwin)
      var size = UInt32(4096)
      var path = [CChar](repeating: 0, count: Int(size))
      guard _NSGetExecutablePath(&path, &size) == 0 else { return CommandLine.arguments[0] }
      return String(decoding: path.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    #else
      // Names this program even after its file was replaced.
      return "/proc/self/exe"
    #endif
  }

  /// The path of this program, for other programs; nil if the file doesn't exist any more.
  package static var executablePath: String? {
    #if canImport(Darwin)
      let path: String? = executable
    #else
      let path = Files.linkTarget(executable)
    #endif
    return path.flatMap { $0.hasPrefix("/") && Files.isExecutable($0) ? $0 : nil }
  }

  /// Identifies this boot of the host. Pids and start times are valid only within one boot.
  package static var bootID: String {
    if let simulated = environment("QVM_TEST_BOOT_ID") { return simulated }
    #if canImport(Darwin)
      var size = 64
      var text = [CChar](repeating: 0, count: size)
      guard sysctlbyname("kern.bootsessionuuid", &text, &size, nil, 0) == 0 else { return "" }
      return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    #else
      let text = Files.text("/proc/sys/kernel/random/boot_id") ?? ""
      return String(text.prefix { !$0.isNewline })
    #endif
  }

  /// Identifies the pid namespace of this process; nil if the system has only one.
  package static var pidNamespace: String? {
    #if canImport(Darwin)
      return nil
    #else
      return Files.linkTarget("/proc/self/ns/pid")
    #endif
  }

  /// Whether this is the kernel's first pid namespace, whose number is fixed. The kernel log uses
  /// its pids.
  static var countsAsKernel: Bool { pidNamespace == "pid:[4026531836]" }

  /// When a process started, in the kernel's own unit. Together with the boot id and the pid it
  /// identifies a process; a pid alone may be reused. Nil if there is no such process, or only a
  /// zombie.
  package static func startTime(of pid: Int32) -> UInt64? {
    #if canImport(Darwin)
      var information = proc_bsdinfo()
      let size = Int32(MemoryLayout<proc_bsdinfo>.size)
      guard proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &information, size) == size,
        information.pbi_status != UInt32(SZOMB)
      else { return nil }
      return information.pbi_start_tvsec * 1_000_000 + information.pbi_start_tvusec
    #else
      // Field 2, the name in parentheses, may contain anything; the state is field 3 and the start
      // time field 22.
      guard let text = Files.text("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else {
        return nil
      }
      let fields = text[end...].split(separator: " ")
      guard fields.count > 20, fields[1] != "Z" else { return nil }
      return UInt64(fields[20])
    #endif
  }

  /// Sends a signal to a process that is not a child. Returns whether the process exists.
  package static func signal(_ signal: Signal, to pid: Int32) -> Bool {
    pid > 1 && kill(pid, signal.rawValue) == 0
  }

  /// Opens /dev/null until standard input, output and error exist.
  ///
  /// Otherwise the first socket would become descriptor 0, 1 or 2, and output would be written to
  /// it.
  package static func ensureStandardDescriptors() {
    while true {
      let number = open("/dev/null", O_RDWR)
      if number < 0 { return }
      if number > 2 {
        close(number)
        return
      }
    }
  }

  /// Makes all inherited descriptors but the standard ones close-on-exec. A caller's lock or pipe
  /// must not stay open as long as a VM runs.
  package static func keepDescriptorsFromChildren() {
    #if !canImport(Darwin)
      // Darwin has a flag of posix_spawn for this.
      for name in Files.list("/proc/self/fd") {
        guard let number = Int32(name), number > 2 else { continue }
        let flags = fcntl(number, F_GETFD)
        if flags >= 0 { _ = fcntl(number, F_SETFD, flags | FD_CLOEXEC) }
      }
    #endif
  }

  /// Sets the umask so that new files are for this user only.
  package static func restrictFileModes() {
    inheritedUmask.store(UInt32(umask(0o077)), ordering: .relaxed)
  }

  /// The umask that this process was started with, for files that are the user's own.
  static var usersUmask: UInt32 { inheritedUmask.load(ordering: .relaxed) }

  private static let inheritedUmask = Atomic<UInt32>(0o077)

  /// Takes over a descriptor from the parent and makes it close-on-exec; nil if it isn't open.
  package static func inherited(_ number: Int32) -> Descriptor? {
    guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else { return nil }
    return Descriptor(owning: number)
  }

  /// Another descriptor for the same open file; nil on an error.
  package static func copy(of number: Int32) -> Descriptor? {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
    return copy < 0 ? nil : Descriptor(owning: copy)
  }

  /// Executes another program in place of this one, with the same terminal, descriptors and
  /// signals.
  ///
  /// - Throws: ``SpawnError``. It never returns.
  package static func become(_ program: String, _ arguments: [String]) throws(SpawnError) -> Never {
    // Ignored signals stay ignored across exec, which few programs expect.
    Signal.restoreForExecution()
    let pointers = ([program] + arguments).map { strdup($0) } + [nil]
    execv(program, pointers)
    let cause = SystemError.last("execv")
    for pointer in pointers { free(pointer) }
    throw SpawnError(program: program, cause: cause)
  }

  /// Exits at once.
  package static func exit(_ status: Int32) -> Never { _exit(status) }

  /// The path of a program in `PATH`; nil if it isn't there.
  package static func find(_ program: String) -> String? {
    for folder in (environment("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":") {
      let path = "\(folder)/\(program)"
      if folder.hasPrefix("/"), Files.isExecutable(path) { return path }
    }
    return nil
  }
}
