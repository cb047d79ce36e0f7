package import QMPClient

/// A base image as `qvm images` shows it: an existing one, or a missing one that instances need.
package struct ImageStatus: Sendable {
  package let name: String
  /// The release that it came from.
  package let tag: String
  package let path: String
  /// The image; nil if it is missing.
  package let image: BaseImage?
  package let state: BaseImage.State
  /// The size of the file and the space that it takes on the disk, in bytes.
  package let size: (file: Int, disk: Int)?
  /// The instances that use it.
  package let users: [String]

  /// All base images of a cache, sorted by name and then by age. Doesn't read their bytes.
  ///
  /// - Throws: ``FileError`` if the instances can't be listed.
  package static func all(in cache: Cache) throws(FileError) -> [ImageStatus] {
    let users = try ImageUsers(in: cache)
    let images = BaseImage.list(in: cache)
    let present = images.map { ImageStatus($0, users: users.of($0.path)) }
    let missing = users.needed.filter { path in
      !images.contains { ImageUsers.key($0.path) == ImageUsers.key(path) }
    }
    return (present + missing.map { ImageStatus(missing: $0, users: users.of($0)) })
      .sorted { $0.name < $1.name }
  }

  private init(_ image: BaseImage, users: [String], state: BaseImage.State? = nil) {
    name = image.name
    tag = image.tag
    path = image.path
    self.image = image
    self.state = state ?? image.state
    size = Files.information(image.path).map { ($0.size, $0.allocated) }
    self.users = users
  }

  private init(missing path: String, users: [String]) {
    let file = String(Files.lastName(of: path))
    name = file.hasSuffix(".qcow2") ? String(file.dropLast(".qcow2".count)) : file
    tag = String(Files.lastName(of: Files.parent(of: path)))
    self.path = path
    image = nil
    state = .missing
    size = nil
    self.users = users
  }

  /// The status after comparing the image's bytes, if that is needed (see
  /// ``BaseImage/needsComparison``).
  ///
  /// - Throws: ``FileError`` if the image can't be read; `CancellationError`.
  package func compared(in cache: Cache, on loop: EventLoop) async throws -> ImageStatus {
    guard let image, image.needsComparison else { return self }
    let state = try await image.compared(isRecording: cache.isOwn, on: loop)
    return ImageStatus(image, users: users, state: state)
  }

  /// The JSON for `--json`, with stable keys. Keys that don't apply are absent.
  package var json: JSONObject {
    var object: JSONObject = ["name": .string(name)]
    if let target = Target(imageName: name) {
      object["os"] = .string(target.operatingSystem.rawValue)
      object["version"] = .string(target.version)
      object["platform"] = .string(target.architecture.rawValue)
    }
    object["release"] = .string(tag)
    object["state"] = .string(state.rawValue)
    object["path"] = .string(path)
    object["bytes"] = size.map { .integer(Int64($0.file)) }
    object["allocatedBytes"] = size.map { .integer(Int64($0.disk)) }
    if let image {
      object["url"] = image.url.map(JSONValue.string)
      object["sha256"] = image.sha256.map(JSONValue.string)
      object["verified"] = .bool(!image.isUnverified && image.sha256 != nil)
      object["fetchedAt"] = .string(image.fetched.description)
    }
    object["usedBy"] = .array(users.map(JSONValue.string))
    return object
  }
}
