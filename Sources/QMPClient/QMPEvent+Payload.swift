extension QMPEvent {
  /// What `SHUTDOWN` and `RESET` say. Since QEMU 0.12; source: `qapi/run-state.json`.
  public struct Shutdown: Sendable, Hashable {
    /// Whether the guest wanted it. Since QEMU 2.10.
    public let isByGuest: Bool?
    /// Why. Since QEMU 4.0.
    public let reason: ShutdownCause?

    /// Creates what such an event says.
    public init(isByGuest: Bool?, reason: ShutdownCause?) {
      self.isByGuest = isByGuest
      self.reason = reason
    }
  }

  private var shutdownData: Shutdown {
    Shutdown(
      isByGuest: data["guest"]?.bool,
      reason: data["reason"]?.string.map(ShutdownCause.init(rawValue:)))
  }

  /// What `SHUTDOWN` says: QEMU is about to end, unless it was told to stay; nil for other events.
  ///
  /// QEMU may still flush its disks for long: only the end of its process is the end.
  public var shutdown: Shutdown? { name == "SHUTDOWN" ? shutdownData : nil }

  /// What `RESET` says; nil for other events. One reset of the guest may be reported several times,
  /// since some firmware resets again.
  public var reset: Shutdown? { name == "RESET" ? shutdownData : nil }

  /// What `BLOCK_IO_ERROR` says. Since QEMU 0.13; source: `qapi/block-core.json`.
  public struct BlockIOError: Sendable, Hashable {
    /// The drive, such as `drive0`; empty where only the device has a name.
    public let device: String
    /// `read` or `write`.
    public let operation: String
    /// What QEMU does about it: `ignore`, `report` (the guest is told) or `stop`.
    public let action: String
    /// Whether the host's disk is full. Since QEMU 2.2.
    public let isNoSpace: Bool
    /// The operating system's words, for people.
    public let reason: String
  }

  /// What `BLOCK_IO_ERROR` says; nil for other events. With the action `stop`, `STOP` follows.
  public var blockIOError: BlockIOError? {
    guard name == "BLOCK_IO_ERROR" else { return nil }
    return BlockIOError(
      device: data["device"]?.string ?? "", operation: data["operation"]?.string ?? "",
      action: data["action"]?.string ?? "", isNoSpace: data["nospace"]?.bool ?? false,
      reason: data["reason"]?.string ?? "")
  }

  /// What QEMU did when the guest reported a panic: the action of `GUEST_PANICKED`, `pause`,
  /// `poweroff` or `run`; nil for other events. Since QEMU 1.5; source: `qapi/run-state.json`.
  public var guestPanicAction: String? {
    name == "GUEST_PANICKED" ? data["action"]?.string ?? "" : nil
  }

  /// What QEMU did when a watchdog fired: the action of `WATCHDOG`; nil for other events. Since
  /// QEMU 0.13; source: `qapi/run-state.json`.
  public var watchdogAction: String? {
    name == "WATCHDOG" ? data["action"]?.string ?? "" : nil
  }
}
