/// A supervisor that has been asked how its VM is; its answer comes while other things are done.
///
/// A class, since the runtime would have to find out how an optional structure is copied, which takes
/// a part of the time of a `status`.
final class PendingStatusQuery {
  let client: BlockingControlClient
  /// The boot that it supervises.
  let boot: BootRecord
  private let stamp: FileStamp

  /// Asks the supervisor of an instance; nil where none listens.
  init?(to files: InstanceFiles) {
    guard FileLock.isHeld(files.vmLock), let found = Files.information(files.boot),
      let boot = try? BootRecord.read(files.boot),
      let client = try? BlockingControlClient(boot.runtime(files), boot: boot.token)
    else { return nil }
    client.send(.status)
    self.client = client
    self.boot = boot
    stamp = FileStamp(found)
  }

  /// The boot's record as it is now; nil where another boot has begun since.
  func record(in files: InstanceFiles) -> BootRecord? {
    if Files.information(files.boot).map({ FileStamp($0) }) == stamp { return boot }
    let now = try? BootRecord.read(files.boot)
    return now?.token == boot.token ? now : nil
  }
}
