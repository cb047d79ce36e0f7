import TestSupport
import Testing

@testable import QVMControl

@Suite struct CacheTests {
  @Test func `its folders are this user's alone, and none of them may be a link`() throws {
    let folder = try TemporaryFolder()
    let cache = Cache(path: "\(folder.path)/cache")
    #expect(!cache.isOwn)
    try cache.requireOwn()
    try cache.prepare()
    #expect(cache.isOwn)
    for path in [cache.path, cache.images, cache.instances, cache.downloads] {
      #expect(Files.information(path)?.mode == 0o700)
      try Files.setMode(0o777, of: path)
    }
    try cache.prepare()
    #expect(Files.information(cache.instances)?.mode == 0o700)
    try Files.removeTree(cache.images)
    try Files.link(folder.path, at: cache.images)
    let error = #expect(throws: FileError.self) { try cache.prepare() }
    #expect(error?.message == "cannot use \(cache.images): it is a symbolic link")
  }

  @Test func `the cache itself may be a link that the user made`() throws {
    let folder = try TemporaryFolder()
    try Files.makeFolder("\(folder.path)/elsewhere")
    try Files.link("\(folder.path)/elsewhere", at: "\(folder.path)/cache")
    let cache = Cache(path: "\(folder.path)/cache")
    try cache.prepare()
    #expect(cache.isOwn)
    #expect(Files.information("\(folder.path)/elsewhere/instances")?.kind == .folder)
    try Files.remove(cache.path)
    try Files.link("\(folder.path)/nowhere", at: cache.path)
    #expect(throws: FileError.self) { try cache.prepare() }
  }
}
