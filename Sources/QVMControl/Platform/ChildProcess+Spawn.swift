#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient

extension ChildProcess {
  #if canImport(Darwin)
    private static let setsid: Int16 = 0x400
    private static let extraFlags = Int16(POSIX_SPAWN_CLOEXEC_DEFAULT)
  #else
    // POSIX_SPAWN_SETSID of <spawn.h>, which the module map hides.
    private static let setsid: Int16 = 0x80
    private static let extraFlags: Int16 = 0
  #endif

  /// Spawns a child. The caller must reap it.
  static func spawn(_ plan: Plan) throws(SpawnError) -> Int32 {
    var actions = emptyActions()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var attributes = emptyAttributes()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }

    var mask = sigset_t()
    sigemptyset(&mask)
    for signal in plan.blockedSignals { sigaddset(&mask, signal.rawValue) }
    posix_spawnattr_setsigmask(&attributes, &mask)
    sigfillset(&mask)
    // Ignore SIGXFSZ: a write beyond 'ulimit -f' then fails. A program can report that, and QEMU
    // pauses the VM. The signal would kill them.
    sigdelset(&mask, SIGXFSZ)
    // Keep SIGHUP ignored if 'nohup' has set that.
    if Signal.hangUp.isIgnored { sigdelset(&mask, SIGHUP) }
    posix_spawnattr_setsigdefault(&attributes, &mask)
    var flags = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF) | extraFlags
    if plan.ownSession { flags |= setsid }
    posix_spawnattr_setflags(&attributes, flags)

    // Duplicate the sources above the targets first. If a source were among the targets, an earlier
    // dup2 would overwrite it.
    var sources: [Int32] = []
    defer { for source in sources { close(source) } }
    for (target, descriptor) in plan.descriptors.enumerated() {
      guard let descriptor else {
        let access = target == 0 ? O_RDONLY : O_WRONLY
        posix_spawn_file_actions_addopen(&actions, Int32(target), "/dev/null", access, 0)
        continue
      }
      let source = fcntl(descriptor.number, F_DUPFD_CLOEXEC, Int32(plan.descriptors.count))
      guard source >= 0 else { throw SpawnError(program: plan.executable, cause: .last("fcntl")) }
      sources.append(source)
      posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
    }

    let arguments = [plan.executable] + plan.arguments
    var pid: pid_t = 0
    let result = withCStrings(arguments) { argv in
      if let environment = plan.environment {
        return withCStrings(environment) {
          posix_spawn(&pid, plan.executable, &actions, &attributes, argv, $0)
        }
      }
      return posix_spawn(&pid, plan.executable, &actions, &attributes, argv, environ)
    }
    if result != 0 {
      throw SpawnError(
        program: plan.executable, cause: SystemError(call: "posix_spawn", code: result))
    }
    return pid
  }

  #if canImport(Darwin)
    private static func emptyActions() -> posix_spawn_file_actions_t? { nil }
    private static func emptyAttributes() -> posix_spawnattr_t? { nil }
  #else
    private static func emptyActions() -> posix_spawn_file_actions_t {
      posix_spawn_file_actions_t()
    }
    private static func emptyAttributes() -> posix_spawnattr_t { posix_spawnattr_t() }
  #endif

  private static func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let pointers = strings.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers + [nil])
  }
}
