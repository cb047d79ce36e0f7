import QVMControl

/// The words for a target, as `run`, `pull` and `matrix` take them.
enum TargetWords {
  static let versionHelp =
    "Its version, such as 14.2; 14 means the newest 14.x (default: the newest of all)."

  /// Reads a target.
  ///
  /// - Throws: ``UsageError`` for a word that names no operating system; ``TargetError``.
  static func request(
    _ word: String, _ version: String? = nil, platform: String? = nil, command: String
  ) throws -> TargetRequest {
    do {
      return try TargetRequest(
        word, version: version, platform: platform, host: Host.architecture)
    } catch TargetError.unknownOperatingSystem(let word) {
      throw UsageError.unknownSystem(word, advice: SystemHint.advice(for: word, command: command))
    }
  }

  /// The target of an existing instance, if the request means that.
  ///
  /// - Returns: Nil if there is no such instance, or its record can't be read.
  /// - Throws: ``InstanceError`` `exists` if the instance has another target.
  static func existing(
    _ name: InstanceName?, _ request: TargetRequest, in cache: Cache
  ) throws -> Target? {
    let store = InstanceStore(cache)
    guard let name, store.exists(name),
      let record = try? InstanceRecord(reading: store.files(name).record)
    else { return nil }
    guard request.fits(record.target) else {
      throw InstanceError.exists(
        name: name.text, as: record.target.imageName,
        wanted: request.target?.imageName ?? request.description)
    }
    return record.target
  }

  /// What completion offers after an operating system: the versions of the releases that this qvm
  /// knows and those in the cache, the newest first.
  static func versions(of word: String?) -> [String] {
    guard let word, let system = OperatingSystem(word: word) else { return [] }
    let cache = try? Cache.fromEnvironment()
    var versions: Set<String> = []
    for architecture in system.architectures {
      versions.formUnion(FallbackReleases.versions(of: system, on: architecture))
      if let cache,
        let request = try? TargetRequest(
          system.rawValue, platform: architecture.rawValue, host: architecture)
      {
        versions.formUnion(request.cachedVersions(in: cache))
      }
    }
    return versions.sorted { VersionOrder.precedes($1, $0) }
  }
}

extension CompletionSource {
  /// The operating systems, and behind `OS:` their versions.
  static let targets = CompletionSource.typed { current, _ in
    guard let colon = current.firstIndex(of: ":") else {
      return OperatingSystem.allCases.map(\.rawValue)
    }
    let system = String(current[..<colon])
    return TargetWords.versions(of: system).map { "\(system):\($0)" }
  }

  /// The versions of the operating system before the word at the cursor.
  static let versions = CompletionSource.typed { _, before in
    TargetWords.versions(of: before.last)
  }
}
