internal import QMPClient

/// A base image in the cache. Instances' disks are overlays over it. It never changes.
package struct BaseImage: Sendable, Hashable {
  /// The name of the file without its extension: `freebsd-14.2-x86-64`.
  package let name: String
  /// The release that it came from; `builtin` for the demo guest.
  package let tag: String
  package let path: String
  /// In bytes.
  package let size: Int
  /// The URL of its download; nil for the demo guest.
  package let url: String?
  /// In lower-case hexadecimal digits; nil if no program could compute it.
  package let sha256: String?
  /// Whether its release had no digest to verify the download with.
  package let isUnverified: Bool
  package let fetched: Timestamp
  /// The file's stamp when its digest was computed; nil if it isn't recorded.
  package internal(set) var stamp: FileStamp?
  /// Whether its record is complete.
  package let isRecorded: Bool

  static let builtinTag = "builtin"
  static let schema = 1

  static func path(_ name: String, tag: String, in cache: Cache) -> String {
    "\(cache.images)/\(tag)/\(name).qcow2"
  }

  static func recordPath(_ image: String) -> String {
    "\(image.dropLast(".qcow2".count)).json"
  }

  // MARK: - Looking

  /// The most recently downloaded image for a target; nil if there is none. Uses no network.
  package static func find(_ target: Target, in cache: Cache) -> BaseImage? {
    all(named: target.imageName, in: cache).filter(\.isWhole).max { $0.age < $1.age }
  }

  /// All base images, sorted by name, then by age with the newest last.
  package static func list(in cache: Cache) -> [BaseImage] {
    all(named: nil, in: cache).sorted { ($0.name, $0.age) < ($1.name, $1.age) }
  }

  /// Its age: by the time of its download; within the same second by the time of its file.
  private var age: Age { Age(fetched: fetched, modified: stamp?.modified ?? 0) }

  private struct Age: Comparable {
    let fetched: Timestamp
    let modified: Int

    static func < (left: Age, right: Age) -> Bool {
      (left.fetched, left.modified) < (right.fetched, right.modified)
    }
  }

  static func all(named name: String?, in cache: Cache) -> [BaseImage] {
    Files.list(cache.images).flatMap { tag -> [BaseImage] in
      guard !tag.hasPrefix(".") else { return [] }
      let folder = "\(cache.images)/\(tag)"
      let names = name.map { ["\($0).qcow2"] } ?? Files.list(folder)
      return names.compactMap { BaseImage(at: "\(folder)/\($0)", tag: tag) }
    }
  }

  init?(at path: String, tag: String) {
    let file = Files.lastName(of: path)
    guard file.hasSuffix(".qcow2"), !file.hasPrefix("."),
      let found = Files.information(path), found.kind == .file
    else { return nil }
    let record = (try? JSONFile.read(Self.recordPath(path))) ?? nil
    name = String(file.dropLast(".qcow2".count))
    self.tag = tag
    self.path = path
    // Without its record, which qvm never removes alone, the file's own properties are used.
    let bytes = record?["bytes"]?.int
    let time = record?["fetched"]?.string.flatMap { Timestamp($0) }
    size = bytes ?? found.size
    url = record?["url"]?.string
    sha256 = record?["sha256"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    isUnverified = record?["unverified"]?.bool ?? false
    fetched = time ?? Timestamp(seconds: found.modified)
    stamp = record.flatMap { FileStamp($0) }
    isRecorded = bytes != nil && time != nil
  }

  /// Whether the file still has its recorded size.
  var isWhole: Bool { Files.information(path)?.size == size }

  // MARK: - Placing

  init(
    name: String, tag: String, path: String, size: Int, url: String?, sha256: String?,
    isUnverified: Bool = false
  ) {
    self.name = name
    self.tag = tag
    self.path = path
    self.size = size
    self.url = url
    self.sha256 = sha256
    self.isUnverified = isUnverified
    fetched = .now
    isRecorded = true
  }

  /// The same image with a new stamp and digest.
  init(_ image: BaseImage, stamp: FileStamp, sha256: String?, isVerified: Bool = false) {
    name = image.name
    tag = image.tag
    path = image.path
    size = stamp.size
    url = image.url
    self.sha256 = sha256
    // A digest that was only computed now was compared with nothing.
    isUnverified = !isVerified && (image.isUnverified || image.sha256 != sha256)
    fetched = image.fetched
    self.stamp = stamp
    isRecorded = true
  }

  /// Moves a checked file to its final place and makes it read-only.
  ///
  /// - Returns: The image with the stamp of its file.
  func place(_ file: String, on loop: EventLoop) async throws -> BaseImage {
    let folder = Files.parent(of: path)
    // Without the lock, another process could remove the folder while it is empty.
    let lock = try await ImagesLock.shared(at: Files.parent(of: folder), on: loop)
    defer { lock.release() }
    try Files.makeFolder(folder)
    try Files.setMode(0o444, of: file)
    try Files.synchronize(file)
    var image = self
    image.stamp = Files.information(file).map { FileStamp($0) }
    // The record first, so that an existing image always has one.
    try JSONFile.write(image.record, to: Self.recordPath(path))
    try Files.rename(file, to: path)
    return image
  }

  var record: JSONValue {
    var object: JSONObject = [
      "schema": .integer(Int64(Self.schema)), "tag": .string(tag), "bytes": .integer(Int64(size)),
      "fetched": .string(fetched.description),
    ]
    object["url"] = url.map(JSONValue.string)
    object["sha256"] = sha256.map(JSONValue.string)
    if isUnverified { object["unverified"] = true }
    if let stamp {
      for member in stamp.members.members { object[member.name] = member.value }
    }
    return .object(object)
  }
}
