/// A `status` request that was sent to a supervisor. While it answers, the command does other work.
///
/// A class: for an optional structure the runtime would build the type's metadata, which takes a
/// noticeable part of the time of a `status`.
final class PendingStatusQuery {
  let client: BlockingControlClient
  /// The boot that the supervisor belongs to.
  let boot: BootRecord
  private let stamp: FileStamp

  /// Sends the request to the supervisor of an instance; nil if none listens.
  init?(to files: InstanceFiles) {
    guard FileLock.isHeld(files.vmLock), let found = Files.information(files.boot),
      let boot = files.bootRecord,
      let client = try? BlockingControlClient(boot.runtime(files), boot: boot.token)
    else { return nil }
    client.send(.status)
    self.client = client
    self.boot = boot
    stamp = FileStamp(found)
  }

  /// The boot's record as it is now; nil if another boot has begun since.
  func record(in files: InstanceFiles) -> BootRecord? {
    if Files.information(files.boot).map({ FileStamp($0) }) == stamp { return boot }
    let now = files.bootRecord
    return now?.token == boot.token ? now : nil
  }
}
