package import QMPClient
package import QVMControl

/// An empty store of instances in a folder of its own, which goes with it.
package final class TemporaryStore: Sendable {
  package let folder: TemporaryFolder
  package let store: InstanceStore
  /// What instances run for which that doesn't matter.
  package let target: Target

  package init() throws {
    folder = try TemporaryFolder()
    store = InstanceStore(Cache(path: "\(folder.path)/cache"))
    try store.cache.prepare()
    target = try Target(operatingSystem: "demo", version: "1", platform: nil, host: .x86_64)
  }

  /// Makes the folder of an instance, with its lock and its record and no disk.
  ///
  /// - Parameters:
  ///   - name: Its name.
  ///   - options: The options that it was created with.
  /// - Returns: Its files.
  /// - Throws: `FileError`.
  package func make(
    _ name: InstanceName, options: JSONObject = [:]
  ) throws -> InstanceFiles {
    let files = store.files(name)
    try Files.makeFolder(files.folder)
    // Without waiting for the disk: some tests make thousands.
    try Files.write([], to: files.vmLock, isLasting: false)
    let record = InstanceRecord(
      name: name.text, target: target, createdAt: Timestamp(seconds: 0), baseImage: "/b",
      options: options)
    try Files.write(record.json.bytes + [0x0A], to: files.record, isLasting: false)
    return files
  }
}
