/// An event that QEMU reports, such as `SHUTDOWN`.
public struct QMPEvent: Sendable, Hashable {
  /// The name on the wire. Newer QEMUs have more events than this library knows.
  public let name: String
  /// The members of `data`; empty if there are none.
  public let data: JSONObject
  /// QEMU's wall clock in microseconds since 1970; nil if QEMU sent none.
  public let timestamp: Int?

  /// Creates an event.
  public init(name: String, data: JSONObject = JSONObject(), timestamp: Int? = nil) {
    self.name = name
    self.data = data
    self.timestamp = timestamp
  }

  init?(_ json: JSONValue) {
    guard let name = json["event"]?.string else { return nil }
    self.name = name
    data = json["data"]?.object ?? JSONObject()
    if let seconds = json["timestamp"]?["seconds"]?.int, seconds >= 0 {
      timestamp = seconds &* 1_000_000 &+ (json["timestamp"]?["microseconds"]?.int ?? 0)
    } else {
      timestamp = nil
    }
  }
}

// MARK: - What an event says

extension QMPEvent {
  /// The data of `SHUTDOWN` and `RESET`. Since QEMU 0.12; source: `qapi/run-state.json`.
  public struct Shutdown: Sendable, Hashable {
    /// Whether the guest caused it. Since QEMU 2.10.
    public let isByGuest: Bool?
    /// Why. Since QEMU 4.0.
    public let reason: ShutdownCause?

    /// Creates the data of such an event.
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

  /// The data of `SHUTDOWN`: QEMU is about to exit, unless it was told to stay. Nil for other
  /// events.
  ///
  /// QEMU may still flush its disks for long. Only the exit of its process is the end.
  public var shutdown: Shutdown? { name == "SHUTDOWN" ? shutdownData : nil }

  /// The data of `RESET`; nil for other events. QEMU may report one reset several times, because
  /// some firmware resets again.
  public var reset: Shutdown? { name == "RESET" ? shutdownData : nil }

  /// The data of `BLOCK_IO_ERROR`. Since QEMU 0.13; source: `qapi/block-core.json`.
  public struct BlockIOError: Sendable, Hashable {
    /// The drive, such as `drive0`; empty if only the device has a name.
    public let device: String
    /// `read` or `write`.
    public let operation: String
    /// What QEMU does about it: `ignore`, `report` (the guest is told) or `stop`.
    public let action: String
    /// Whether the host's disk is full. Since QEMU 2.2.
    public let isNoSpace: Bool
    /// The operating system's description of the error.
    public let reason: String
  }

  /// The data of `BLOCK_IO_ERROR`; nil for other events. With the action `stop`, `STOP` follows.
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
