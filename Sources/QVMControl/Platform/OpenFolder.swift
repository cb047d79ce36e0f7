#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
internal import QMPClient

/// An open folder, for many look-ups in it. Each look-up by an absolute path would traverse all
/// folders above it.
struct OpenFolder: Sendable {
  private let descriptor: Descriptor

  /// Opens a folder; nil on an error.
  init?(_ path: String) {
    let number = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { return nil }
    descriptor = Descriptor(owning: number)
  }

  /// What a name in it is, without following a final link; nil if there is nothing.
  func information(_ name: String) -> Files.Information? { name.withCString(information) }

  /// What a name in a folder in it is.
  func information(_ folder: String, _ name: String) -> Files.Information? {
    Self.withPath(folder, name, information) ?? nil
  }

  private func information(_ path: UnsafePointer<CChar>) -> Files.Information? {
    var status = stat()
    let result = fstatat(descriptor.number, path, &status, AT_SYMLINK_NOFOLLOW)
    return result == 0 ? Files.Information(status) : nil
  }

  /// Whether any process holds the lock of a file in a folder in it, as ``FileLock/isHeld(_:)``
  /// does.
  func isLocked(_ folder: String, _ name: String) -> Bool {
    Self.withPath(folder, name, isLocked) ?? false
  }

  private func isLocked(_ path: UnsafePointer<CChar>) -> Bool {
    FileLock.isHeld(openat(descriptor.number, path, FileLock.lookingFlags))
  }

  /// Joins a path on the stack, because with thousands of files an allocation for each costs time.
  private static func withPath<Result>(
    _ folder: String, _ name: String, _ body: (UnsafePointer<CChar>) -> Result
  ) -> Result? {
    let capacity = folder.utf8.count + name.utf8.count + 2
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { path in
      var end = path.initialize(fromContentsOf: folder.utf8)
      path.initializeElement(at: end, to: UInt8(ascii: "/"))
      end = path[(end + 1)...].initialize(fromContentsOf: name.utf8)
      path.initializeElement(at: end, to: 0)
      return path.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { body($0) } }
    }
  }
}
