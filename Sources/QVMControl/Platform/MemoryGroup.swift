/// A control group (cgroup) of processes: how many of them the kernel has killed because memory was
/// short, and their limit.
///
/// Linux only. Version 2 has `memory.events` and `memory.max`; its `oom_kill` also counts kills
/// because the whole host's memory was short. Version 1 has `memory.oom_control` and
/// `memory.limit_in_bytes`. Source: the kernel's Documentation/admin-guide/cgroup-v2.rst and
/// cgroup-v1/memory.rst.
package struct MemoryGroup: Sendable, Hashable {
  private let folder: String
  /// The root of its hierarchy. Groups above it are invisible.
  private let root: String
  private let isUnified: Bool

  /// The group of a process; nil if there is none, or it is invisible.
  ///
  /// - Parameters:
  ///   - pid: The process.
  ///   - processes: The folder of the process file system.
  ///   - groups: The folder in which the hierarchies are mounted.
  package init?(
    of pid: Int32, processes: String = "/proc", groups: String = "/sys/fs/cgroup"
  ) {
    guard let text = Files.text("\(processes)/\(pid)/cgroup") else { return nil }
    // `4:memory:/a/b` in version 1, `0::/a/b` in version 2. Some hosts have both.
    let lines = text.split(separator: "\n").map {
      $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    }.filter { $0.count == 3 }
    for line in lines where line[1].split(separator: ",").contains("memory") {
      if let found = Self.find(line[2], below: ["\(groups)/memory"], "memory.oom_control") {
        (folder, root, isUnified) = (found.folder, found.root, false)
        return
      }
    }
    for line in lines where line[0] == "0" && line[1].isEmpty {
      if let found = Self.find(line[2], below: [groups, "\(groups)/unified"], "memory.events") {
        (folder, root, isUnified) = (found.folder, found.root, true)
        return
      }
    }
    return nil
  }

  private static func find(
    _ path: String, below roots: [String], _ file: String
  ) -> (folder: String, root: String)? {
    for root in roots {
      // In a container its own group may be the root, although the name is the one outside.
      for folder in [root + (path == "/" ? "" : path), root]
      where Files.exists("\(folder)/\(file)") {
        return (folder, root)
      }
    }
    return nil
  }

  /// How many of its processes were killed because memory was short; nil if unknown.
  package var kills: Int? {
    let file = isUnified ? "memory.events" : "memory.oom_control"
    let lines = Files.text("\(folder)/\(file)")?.split(separator: "\n") ?? []
    for line in lines {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == "oom_kill" { return Int(words[1]) }
    }
    return nil
  }

  /// Its memory limit in bytes: the smallest limit of it and the groups above it; nil without a
  /// limit.
  package var limit: Int? {
    var least: Int?
    var folder = folder
    while folder.utf8.count >= root.utf8.count {
      let file = isUnified ? "memory.max" : "memory.limit_in_bytes"
      let text = Files.text("\(folder)/\(file)").map { $0.filter { !$0.isWhitespace } }
      // In version 1, a number beyond any host's memory means no limit.
      if let limit = text.flatMap({ Int($0) }), limit < 1 << 60 {
        least = min(least ?? limit, limit)
      }
      if folder == root { break }
      folder = Files.parent(of: folder)
    }
    return least
  }
}
