package import QMPClient

/// A VM that a supervisor has been started for.
package struct SupervisedVM: Sendable {
  package let name: InstanceName
  package let store: InstanceStore
  package let files: InstanceFiles
  package let runtime: RuntimeFolder
  /// The connection to the supervisor, which holds the lease.
  package let supervisor: Descriptor
  /// What that has said already.
  package var received: [UInt8] = []
  /// The boot before this one, which is on record until the supervisor has begun.
  var previousBoot: String?
  /// Whether it was running before.
  var isAttached = false
  /// Whether the guest's ssh can be reached from other machines.
  package let exposesSSH: Bool
}
