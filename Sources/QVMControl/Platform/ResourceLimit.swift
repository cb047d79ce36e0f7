#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient

/// A resource limit that this process or one of its children has reached.
package enum ResourceLimit: Sendable, Hashable {
  /// The descriptors of one process.
  case descriptors
  /// The open files of the whole system.
  case systemFiles
  /// The processes and threads of a user, or of a control group.
  case processes
  /// The size of a file that a process writes.
  case fileSize

  /// Names the limit, with its value if that is known. Shown in parentheses after the failure.
  package var description: String {
    switch self {
    case .descriptors:
      "'ulimit -n' allows \(Self.text(Self.descriptorsOfProcess, "open files", of: 1))"
    case .systemFiles: "the whole system has too many open files"
    case .processes: Self.processesText
    case .fileSize:
      "'ulimit -f' allows \(Self.text(Self.sizeOfFile, "per file", of: 1024, "KiB "))"
    }
  }

  /// How to raise it.
  package var advice: String {
    switch self {
    case .descriptors: "Raise it with 'ulimit -n 1024' and run the command again."
    case .systemFiles:
      "Close programs that have many files open, or raise the limit with 'sysctl fs.file-max'."
    case .processes:
      "Raise 'ulimit -u', or pids.max of the control group (a container's --pids-limit),"
        + " and run the command again."
    case .fileSize: "Raise it with 'ulimit -f unlimited' and run the command again."
    }
  }

  // MARK: - Recognising

  /// Recognises a limit by a program's error message or its end; nil if it was no limit.
  package init?(_ end: ProcessEnd, problem: String) {
    if end == .signalled(SIGXFSZ) {
      self = .fileSize
    } else if let found = Self.messages.first(where: { problem.contains($0.0) })?.1 {
      // Without a limit, the same message is about the file system.
      if found == .fileSize, Self.value(Self.sizeOfFile) == nil { return nil }
      self = found
    } else {
      return nil
    }
  }

  private static let messages: [(String, ResourceLimit)] = [
    (reason(EMFILE), .descriptors), (reason(ENFILE), .systemFiles), (reason(EFBIG), .fileSize),
    // qemu-img's message for EFBIG.
    ("The image size is too large for file format", .fileSize),
    ("thread_create: \(reason(EAGAIN))", .processes), ("fork: \(reason(EAGAIN))", .processes),
    ("vfork: \(reason(EAGAIN))", .processes), ("Cannot fork", .processes),
    ("creating thread: \(reason(EAGAIN))", .processes),
  ]

  private static func reason(_ code: Int32) -> String { SystemError(call: "", code: code).reason }

  /// Whether a file has reached the file size limit.
  package static func isReached(by path: String) -> Bool {
    guard let limit = value(sizeOfFile), let found = Files.information(path) else { return false }
    return found.size >= limit
  }

  // MARK: - Values

  #if canImport(Darwin) || canImport(Musl)
    private static let descriptorsOfProcess = RLIMIT_NOFILE
    private static let sizeOfFile = RLIMIT_FSIZE
    private static let processesOfUser = RLIMIT_NPROC
  #else
    private static let descriptorsOfProcess = Int32(RLIMIT_NOFILE.rawValue)
    private static let sizeOfFile = Int32(RLIMIT_FSIZE.rawValue)
    private static let processesOfUser = Int32(__RLIMIT_NPROC.rawValue)
  #endif

  /// A limit of this process; nil if there is none.
  private static func value(_ resource: Int32) -> Int? {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return nil }
    // The value for no limit doesn't fit into `Int`.
    return limit.rlim_cur < rlim_t(Int64.max) ? Int(limit.rlim_cur) : nil
  }

  private static func text(
    _ resource: Int32, _ what: String, of size: Int, _ unit: String = ""
  ) -> String {
    value(resource).map { "\($0 / size) \(unit)\(what)" } ?? "too few \(what)"
  }

  private static var processesText: String {
    let perUser = value(processesOfUser).map { "'ulimit -u' allows this user \($0)" }
    let perGroup = pidsMaximum.map { "pids.max of the control group is \($0)" }
    let known = [perGroup, perUser].compactMap(\.self)
    return known.isEmpty
      ? "no more processes or threads are allowed" : known.joined(separator: ", ")
  }

  /// The smallest `pids.max` of this process's control groups; nil if none has a limit.
  private static var pidsMaximum: Int? {
    #if canImport(Darwin)
      return nil
    #else
      // Lines such as `0::/user.slice`, or in version 1 `8:pids:/docker/…`.
      let groups = (Files.text("/proc/self/cgroup") ?? "").split(whereSeparator: \.isNewline)
      var smallest: Int?
      for group in groups {
        let parts = group.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, ["", "pids"].contains(parts[1]) else { continue }
        let root = parts[1].isEmpty ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids"
        var folder = parts[2] == "/" ? root : "\(root)\(parts[2])"
        while folder.hasPrefix(root) {
          let text = Files.text("\(folder)/pids.max").map { $0.prefix { !$0.isNewline } }
          if let value = text.flatMap({ Int($0) }) { smallest = min(smallest ?? value, value) }
          folder = Files.parent(of: folder)
        }
      }
      return smallest
    #endif
  }
}

extension SystemError {
  /// The limit that the call has reached; nil for any other failure.
  package var limit: ResourceLimit? {
    switch code {
    case EMFILE: .descriptors
    case ENFILE: .systemFiles
    case EAGAIN where ["pthread_create", "posix_spawn"].contains(call): .processes
    case EFBIG where call == "write" || call == "ftruncate": .fileSize
    default: nil
    }
  }

  /// The operating system's description, with the limit.
  package var explanation: String { limit.map { "\(reason) (\($0.description))" } ?? reason }
}

/// A failed system call, reported without a context.
extension SystemError: UserFacingError {
  package var message: String { "\(call) failed: \(explanation)" }
  package var advice: String? { limit?.advice }
}

/// A program that failed because of a limit of this process.
package struct LimitError: UserFacingError, Hashable {
  /// The program's name.
  package let program: String
  /// Its error message, or how it ended.
  package let why: String
  package let limit: ResourceLimit

  package var message: String { "\(program) failed: \(why) (\(limit.description))" }
  package var advice: String? { limit.advice }
}
