package import QMPClient

/// A check of something on this host that qvm needs or can use.
package struct HostCheck: Sendable, Hashable {
  package enum State: String, Sendable, Hashable {
    case ok
    /// Missing or not ideal, but most commands work.
    case absent
    /// Missing, and nothing works without it.
    case missing
  }

  package let name: String
  package let state: State
  package let detail: String
  package let advice: String?

  init(_ name: String, _ state: State, _ detail: String, advice: String? = nil) {
    self.name = name
    self.state = state
    self.detail = detail
    self.advice = advice
  }

  /// A failed check.
  init(_ name: String, _ state: State, _ error: any Error) {
    let failure = error as? any UserFacingError
    self.init(name, state, failure?.message ?? "\(error)", advice: failure?.advice)
  }

  package var json: JSONObject {
    [
      "name": .string(name), "state": .string(state.rawValue), "detail": .string(detail),
      "advice": advice.map { .string($0) } ?? .null,
    ]
  }

  // MARK: - Checks

  static func all(in cache: Cache) -> [HostCheck] {
    [Self.cache(cache), runtime(cache)]
      + [
        program("curl", .curl, ifNot: .missing), program("tar", .tar, ifNot: .missing),
        program("zstd", .zstd, ifNot: .absent), ssh(),
        program("ssh-keygen", .openssh, ifNot: .absent), qemuImg(cache), port(cache),
      ]
  }

  /// The least free space, in bytes. With less there isn't enough for the demo guest's disk and
  /// logs.
  private static let leastRoom = 16 << 20

  private static func cache(_ cache: Cache) -> HostCheck {
    do {
      try cache.requireOwn()
      try cache.requireOwnHome()
    } catch {
      return HostCheck("cache", .missing, error)
    }
    var place = cache.path
    while !Files.exists(place), place.count > 1 { place = Files.parent(of: place) }
    guard Files.isWritable(place) else {
      return HostCheck(
        "cache", .missing, "\(place) is not writable",
        advice: "Set QVM_CACHE to a folder of your own.")
    }
    let room = Files.freeSpace(at: place)
    if let room, room < leastRoom {
      return HostCheck(
        "cache", .missing, "\(cache.path) has only \(ByteCount.text(room)) free",
        advice: "Free some space there ('qvm prune'), or set QVM_CACHE to a folder on another disk."
      )
    }
    let free = room.map { ", \(ByteCount.text($0)) free" } ?? ""
    let isNew = Files.exists(cache.path) ? "" : " (does not exist yet)"
    return HostCheck("cache", .ok, "\(cache.path)\(isNew)\(free)")
  }

  private static func runtime(_ cache: Cache) -> HostCheck {
    let longestName = String(repeating: "n", count: 63)
    let beside = RuntimeFolder(path: "\(cache.instances)/\(longestName)")
    let room = SocketCalls.longestPath - beside.monitor.utf8.count
    if room >= 0 {
      return HostCheck(
        "runtime folder", .ok, "not needed: the sockets are beside the disks")
    }
    let parent = RuntimeFolder.parent
    if let found = Files.information(parent),
      found.kind != .folder || found.owner != Host.userID
    {
      return HostCheck(
        "runtime folder", .missing, "\(parent) is not a folder of your own",
        advice: "Set XDG_RUNTIME_DIR to a folder of your own with mode 0700.")
    }
    return HostCheck(
      "runtime folder", .ok, "\(parent), for names with more than \(max(0, 63 + room)) characters")
  }

  private static func program(
    _ name: String, _ package: PackageManager.Package, ifNot state: State
  ) -> HostCheck {
    if let path = Host.find(name) { return HostCheck(name, .ok, path) }
    return HostCheck(
      name, state, "is not installed", advice: PackageManager.advice(for: package))
  }

  private static func ssh() -> HostCheck {
    if let path = Host.find("ssh") { return HostCheck("ssh", .ok, path) }
    return HostCheck(
      "ssh", .absent, "is not installed",
      advice: "Install an OpenSSH client for 'qvm ssh' and for commands in a guest.")
  }

  private static func qemuImg(_ cache: Cache) -> HostCheck {
    if let tools = ImageTools.present(in: cache) {
      return HostCheck("qemu-img", .ok, tools.qemuImg)
    }
    if isDownloaded { return HostCheck("qemu-img", .absent, downloadedLater) }
    return HostCheck("qemu-img", .missing, ToolchainError.qemuImgMissing)
  }

  static let downloadedLater = "is downloaded when it is needed"

  /// Whether a missing QEMU would be downloaded.
  static var isDownloaded: Bool {
    switch try? QEMUChoice.fromEnvironment() {
    case .auto: QEMUChoice.canRunManaged(isAsked: false)
    case .managed: QEMUChoice.canRunManaged(isAsked: true)
    default: false
    }
  }

  /// The port that the drivers forward to a guest's ssh server.
  private static func port(_ cache: Cache) -> HostCheck {
    let name = "ssh port"
    let port = 2847
    if NetworkPort.isFree(port, on: "") { return HostCheck(name, .ok, "\(port) is free") }
    let store = InstanceStore(cache)
    let user = store.names.first { name in
      guard let status = try? VMStatus.inspect(name, in: store) else { return false }
      return status.phase.isAlive && status.boot?.sshPort == port
    }
    let other = NetworkPort.listener(on: port).flatMap(PortHolder.init(command:))
    let whose = user.map { PortHolder(name: $0.text).text } ?? other?.text ?? "another program"
    return HostCheck(name, .ok, "\(port) is used by \(whose), so the next free port will be used")
  }
}
