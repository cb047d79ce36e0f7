package import QMPClient

/// A VM, with the connection to its supervisor.
package struct SupervisedVM: Sendable {
  package let name: InstanceName
  package let store: InstanceStore
  package let files: InstanceFiles
  package let runtime: RuntimeFolder
  /// The connection to the supervisor, which holds the lease.
  package let supervisor: Descriptor
  /// The bytes that have come from the supervisor already.
  package var received: [UInt8] = []
  /// The boot before this one, which stays on record until the supervisor has begun.
  var previousBoot: String?
  /// Whether the VM was running before this command attached to it.
  var isAttached = false
  /// Whether the guest's ssh can be reached from other machines.
  package let exposesSSH: Bool

  /// Whether the instance has never been booted before.
  package var isFirstBoot: Bool { previousBoot == nil && !isAttached }

  /// What becomes of an instance whose VM has ended, and what to do with it.
  package var keptRemark: String {
    "\(name) stays: 'qvm start -d \(name)' boots it again, 'qvm rm \(name)' removes it"
  }
}
