/// What `list` shows of an instance.
package struct InstanceSummary: Sendable, Hashable {
  package let name: String
  /// The guest, as the instance's record names it; nil if the record can't be read.
  package var operatingSystem: String?
  package var version: String?
  package var architecture: String?
  /// When the instance was created, as ``Timestamp`` writes it.
  package var createdAt: String?
  package var phase: Phase
  package var reason: String?
  /// Whether the guest is ready; nil if that is unknown.
  package var isReady: Bool?
  /// The address and port at which ssh reaches the guest; nil if no port is forwarded.
  package var ssh: String?
  /// The overlay's size on the disk, in bytes.
  package var size: Int

  package init(_ status: VMStatus) {
    name = status.name
    let target = status.record?.target
    operatingSystem = target?.operatingSystem.rawValue
    version = target?.version
    architecture = target?.architecture.rawValue
    createdAt = status.record?.createdAt.description
    phase = status.phase
    reason = status.reason
    isReady = status.isReady
    ssh = status.ssh
    size = status.size
  }

  init(
    name: String, operatingSystem: String, version: String, architecture: String,
    createdAt: String, phase: Phase, reason: String?, size: Int
  ) {
    self.name = name
    self.operatingSystem = operatingSystem
    self.version = version
    self.architecture = architecture
    self.createdAt = createdAt
    self.phase = phase
    self.reason = reason
    self.size = size
  }

  /// Inspects every instance, sorted by name. An instance that is broken or hangs neither hides nor
  /// delays the others.
  ///
  /// - Parameters:
  ///   - store: Where they are.
  ///   - body: Called with one summary after the other, so that thousands need not be in memory at
  ///     once.
  /// - Throws: ``FileError`` if the instances can't be listed.
  package static func forEach(
    in store: InstanceStore, _ body: (InstanceSummary) -> Void
  ) throws(FileError) {
    let names = try store.listed()
    var index = SettledIndex(of: store.cache, for: names)
    // Every supervisor gets its request before this waits for the first answer.
    var queries: [Int: PendingStatusQuery] = [:]
    for (place, name) in names.enumerated() where !index.knows(name, at: place) {
      queries[place] = PendingStatusQuery(to: store.files(name))
    }
    let deadline = VMStatus.deadlineFromNow
    for (place, name) in names.enumerated() {
      if let known = index.summary(of: name, at: place) {
        body(known)
        continue
      }
      let query = queries.removeValue(forKey: place)
      let status = try? VMStatus.inspect(name, in: store, query: query, until: deadline)
      // The instance may have been removed meanwhile.
      guard let status else { continue }
      let summary = InstanceSummary(status)
      if status.isSettled { index.add(summary, at: place) }
      body(summary)
    }
    index.write()
  }
}
