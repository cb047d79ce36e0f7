/// What a list shows of an instance.
package struct InstanceSummary: Sendable, Hashable {
  package let name: String
  /// The guest, as its record names it; nil where that can't be read.
  package var operatingSystem: String?
  package var version: String?
  package var architecture: String?
  /// When it was created, as ``Timestamp`` writes it.
  package var createdAt: String?
  package var phase: Phase
  package var reason: String?
  /// Whether the guest is up; nil where nothing tells that.
  package var isReady: Bool?
  /// Where ssh reaches the guest; nil where nothing is forwarded.
  package var ssh: String?
  /// What the overlay takes on the disk, in bytes.
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

  /// Looks at every instance, by name; one that is broken or hangs neither hides nor delays the
  /// others.
  ///
  /// - Parameters:
  ///   - store: Where they are.
  ///   - body: Gets what the list shows of each, one after the other: thousands needn't be in memory
  ///     at once.
  /// - Throws: ``FileError`` where the instances can't be listed.
  package static func forEach(
    in store: InstanceStore, _ body: (InstanceSummary) -> Void
  ) throws(FileError) {
    let names = try store.listed()
    var index = SettledIndex(of: store.cache, for: names)
    // All that live are asked before the first answer is waited for.
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
      // It may be gone by now.
      guard let status else { continue }
      let summary = InstanceSummary(status)
      if status.isSettled { index.add(summary, at: place) }
      body(summary)
    }
    index.write()
  }
}
