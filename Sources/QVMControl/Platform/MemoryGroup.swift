/// The group of processes that the kernel counts memory for (cgroup), as far as it tells of the
/// processes that it has killed for want of it.
///
/// Linux only. Version 2 tells in `memory.events` (`oom_kill`, which counts those that were killed for
/// the whole host's sake, too) and `memory.max`; version 1 in `memory.oom_control` and
/// `memory.limit_in_bytes`. Source: the kernel's Documentation/admin-guide/cgroup-v2.rst and
/// cgroup-v1/memory.rst.
package struct MemoryGroup: Sendable, Hashable {
  private let folder: String
  /// The top of its hierarchy: groups above that can't be seen.
  private let root: String
  private let isUnified: Bool

  /// The group of a process; nil where there is none, or it can't be seen.
  ///
  /// - Parameters:
  ///   - pid: The process.
  ///   - processes: Where the kernel tells of processes.
  ///   - groups: Where the hierarchies are mounted.
  package init?(
    of pid: Int32, processes: String = "/proc", groups: String = "/sys/fs/cgroup"
  ) {
    guard let text = Files.text("\(processes)/\(pid)/cgroup") else { return nil }
    // `4:memory:/a/b` in version 1, `0::/a/b` in version 2; both at once on some hosts.
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
      // A container may see its own group as the top, under the name that it has outside.
      for folder in [root + (path == "/" ? "" : path), root]
      where Files.exists("\(folder)/\(file)") {
        return (folder, root)
      }
    }
    return nil
  }

  /// How many of its processes were killed for want of memory; nil where that isn't told.
  package var kills: Int? {
    let file = isUnified ? "memory.events" : "memory.oom_control"
    let lines = Files.text("\(folder)/\(file)")?.split(separator: "\n") ?? []
    for line in lines {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == "oom_kill" { return Int(words[1]) }
    }
    return nil
  }

  /// The most memory that it may have, in bytes: the least of what it and the groups above it are
  /// given; nil without a limit.
  package var limit: Int? {
    var least: Int?
    var folder = folder
    while folder.utf8.count >= root.utf8.count {
      let file = isUnified ? "memory.max" : "memory.limit_in_bytes"
      let text = Files.text("\(folder)/\(file)").map { $0.filter { !$0.isWhitespace } }
      // Version 1 says no limit by a number that no machine has.
      if let limit = text.flatMap({ Int($0) }), limit < 1 << 60 {
        least = min(least ?? limit, limit)
      }
      if folder == root { break }
      folder = Files.parent(of: folder)
    }
    return least
  }
}
