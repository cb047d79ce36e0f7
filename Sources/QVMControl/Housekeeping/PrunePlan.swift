package import QMPClient

/// What can be removed from a cache: base images that no instance needs, and leftovers of killed
/// commands.
///
/// The plan is made without a lock, to be shown. When an item is removed, it is checked again under
/// its lock, and stays if it is in use by then. If this process is killed in between, the next run
/// finds the rest.
package struct PrunePlan: Sendable {
  package enum Kind: String, Sendable, Hashable {
    case image
    /// A record without its image.
    case record
    case download
    /// A half-made or half-removed instance.
    case instance
    /// The sockets of a VM that has ended.
    case runtime
    /// Files of an interrupted `doctor`.
    case trial
    /// A half-made pair of ssh keys.
    case keys

    /// Its name for people.
    package var text: String {
      switch self {
      case .image: "base image"
      case .record: "record without image"
      case .download: "unfinished download"
      case .instance: "unfinished instance"
      case .runtime: "stale sockets"
      case .trial: "unfinished doctor trial"
      case .keys: "unfinished ssh keys"
      }
    }
  }

  package struct Item: Sendable, Hashable {
    package let kind: Kind
    package let name: String
    /// The file or folder; for a download, the folder of all downloads.
    package let path: String
    /// The space that it takes on the disk, in bytes.
    package let size: Int
    /// The stamp of an image when the plan was made.
    let stamp: FileStamp?

    init(_ kind: Kind, _ name: String, path: String, size: Int, stamp: FileStamp? = nil) {
      self.kind = kind
      self.name = name
      self.path = path
      self.size = size
      self.stamp = stamp
    }

    package var json: JSONObject {
      [
        "kind": .string(kind.rawValue), "name": .string(name), "path": .string(path),
        "bytes": .integer(Int64(size)),
      ]
    }
  }

  package let cache: Cache
  package private(set) var items: [Item] = []
  /// Instances whose image is unknown. Because of them every image stays.
  package private(set) var unknownUsers: [String] = []

  /// The size of all items, in bytes.
  package var size: Int { items.reduce(0) { $0 + $1.size } }

  /// Plans to remove everything that is unused.
  ///
  /// - Throws: ``FileError`` if the instances can't be listed, so that it is unknown what they
  ///   need.
  package init(_ cache: Cache) throws(FileError) {
    self.cache = cache
    try cache.requireOwn()
    let users = try ImageUsers(in: cache)
    unknownUsers = users.unknown
    items =
      Self.images(in: cache, users) + Self.strays(in: cache, users) + Self.downloads(in: cache)
      + Self.instances(in: cache) + Self.trials(in: cache) + Self.keys(in: cache)
      + Self.runtimeFolders()
  }

  /// Plans to remove base images by name or file name; of one release only, if the name ends with
  /// `@TAG`.
  ///
  /// - Throws: ``PruningError`` `noSuchImage`, `needed`; ``FileError``.
  package init(_ cache: Cache, images names: [String]) throws {
    self.cache = cache
    try cache.requireOwn()
    let users = try ImageUsers(in: cache)
    let images = BaseImage.list(in: cache)
    var chosen: [BaseImage] = []
    for name in names {
      let matching = images.filter {
        [$0.name, "\($0.name).qcow2", Self.title($0)].contains(name)
      }
      if matching.isEmpty { throw PruningError.noSuchImage(name) }
      for image in matching {
        let needing = users.of(image.path) + users.unknown
        if !needing.isEmpty { throw PruningError.needed(Self.title(image), by: needing) }
        if !chosen.contains(image) { chosen.append(image) }
      }
    }
    items = chosen.compactMap { Self.item($0) }
  }

  static func title(_ image: BaseImage) -> String { "\(image.name)@\(image.tag)" }

  static func item(_ image: BaseImage) -> Item? {
    guard let found = Files.information(image.path) else { return nil }
    return Item(
      .image, title(image), path: image.path, size: found.allocated, stamp: FileStamp(found))
  }

  // MARK: - Removing

  package enum Removal: Sendable, Hashable {
    case removed
    /// Another process has removed it.
    case gone
    /// It is in use by now.
    case kept
  }

  /// Removes one item, unless it is in use by now.
  ///
  /// - Throws: ``FileError``; ``ImageError`` `busy`.
  package func remove(_ item: Item) throws -> Removal {
    switch item.kind {
    case .image: try removeImage(item)
    case .record: try removeStray(item)
    case .download:
      try DownloadLeftovers.remove(of: item.name, in: cache) ? .removed : .kept
    case .instance: try removeInstance(item)
    case .runtime: try removeRuntimeFolder(item)
    case .trial: try removeTrial(item)
    case .keys: try removeKeys(item)
    }
  }
}

/// Something that cannot be pruned.
package enum PruningError: UserFacingError, Hashable {
  case noSuchImage(String)
  case needed(String, by: [String])
  /// There is no terminal to ask for confirmation.
  case unconfirmed(count: Int)

  package var message: String {
    switch self {
    case .noSuchImage(let name): "there is no base image '\(name)' in the cache"
    case .needed(let name, let users):
      "the base image \(name) is needed by \(users.joined(separator: ", "))"
    case .unconfirmed(let count):
      "cannot ask for confirmation to remove \(count == 1 ? "1 item" : "\(count) items"): this is not a terminal"
    }
  }

  package var advice: String? {
    switch self {
    case .noSuchImage: "'qvm images' lists them. NAME@RELEASE names the image of one release."
    case .needed(_, let users):
      "Remove the instances first with 'qvm rm \(users.joined(separator: " "))'."
    case .unconfirmed: "Add --yes to remove them, or --dry-run to list them."
    }
  }
}
