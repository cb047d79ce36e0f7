import QMPClient
import QVMControl

struct ImagesCommand: Command {
  static let name = "images"
  static let summary = "List the base images in the cache, and the instances that use them."
  static let discussion: String? = """
    STATE is one of:

      ok                 The file is the one that was downloaded and verified.
      unverified         The release names no digest to verify the file with.
      changed            The file has changed since then; 'qvm verify' tells more.
      incomplete record  qvm's record of the file is missing or damaged.
      missing            The file is gone, and instances need it.

    After a cache was copied or restored from an archive, each image is read once to compare its
    digest.
    """
  static let parameters: [Parameter<Self>] = [
    .argument(
      "OS", orNone: true, "List only images of this operating system.",
      completing: .operatingSystems
    ) { $0.system = $1 },
    .flag("--available", "List the images in the releases instead.") { $0.isAvailable = true },
    .flag("--json", "Print one JSON document.") { $0.isJSON = true },
  ]

  var system: String?
  var isAvailable = false
  var isJSON = false

  func run() throws -> ExitStatus {
    let wanted = try system.map { word in
      guard let system = OperatingSystem(word: word) else {
        throw TargetError.unknownOperatingSystem(word)
      }
      return system
    }
    let cache = try Cache.fromEnvironment()
    do {
      try isAvailable ? printPublished(wanted, cache) : printCached(wanted, cache)
    } catch let failure as any UserFacingError where DownloadHint.isDownload(failure) {
      Output.report(failure)
      if failure.exitStatus != .usage {
        Output.note(
          "     'qvm images' lists those in the cache, and 'qvm run --rm demo 1' boots the built-in guest.\n"
        )
      }
      return failure.exitStatus
    }
    return .done
  }

  // MARK: - In the cache

  private func printCached(_ wanted: OperatingSystem?, _ cache: Cache) throws {
    let images = try compared(
      ImageStatus.all(in: cache).filter { image in
        wanted.map { image.name.hasPrefix("\($0.rawValue)-") } ?? true
      }, cache)
    let builds = wanted == nil ? QEMUBuild.all(in: cache) : []
    if isJSON {
      return try Output.print([
        "schema": 1, "images": .array(images.map { .object($0.json) }),
        "qemu": .array(builds.map { .object($0.json) }),
      ])
    }
    var table = Table(["NAME", "RELEASE", "SIZE", "ON DISK", "FETCHED", "STATE", "USED BY"])
    for image in images {
      table.add([
        image.name, image.tag, image.size.map { ByteCount.text($0.file) } ?? "-",
        image.size.map { ByteCount.text($0.disk) } ?? "-",
        image.image?.fetched.day ?? "-", image.state.rawValue,
        image.users.isEmpty ? "-" : image.users.joined(separator: ", "),
      ])
    }
    table.fit(in: Output.width, leavingOut: ["ON DISK", "FETCHED"])
    try Output.show(table.text)
    if images.isEmpty { Output.note("qvm: \(Self.noneCached(wanted))\n") }
    if builds.isEmpty { return }
    var qemu = Table(["QEMU", "RELEASE", "ON DISK"])
    for build in builds {
      qemu.add([
        build.target == "img" ? "qemu-img" : build.target, build.tag, ByteCount.text(build.size),
      ])
    }
    try Output.show("\n\(qemu.text)")
  }

  /// Compares the digests of those images whose stamps differ from the record.
  private func compared(_ images: [ImageStatus], _ cache: Cache) throws -> [ImageStatus] {
    let doubtful = images.count { $0.image?.needsComparison == true }
    if doubtful == 0 { return images }
    let which =
      doubtful == 1
      ? "digest of an image" : "digests of \(doubtful) images"
    Output.note("qvm: comparing the \(which) that may have changed…\n")
    return try Interruptible.run { loop in
      var compared: [ImageStatus] = []
      for image in images {
        // An image that cannot be read keeps the state that its stamp gave it.
        do { compared.append(try await image.compared(in: cache, on: loop)) } catch is FileError {
          compared.append(image)
        }
      }
      return compared
    }
  }

  private static func noneCached(_ wanted: OperatingSystem?) -> String {
    guard let wanted else {
      return "there are no base images in the cache. 'qvm pull OS VERSION' downloads one"
    }
    return "there are no base images of \(wanted.displayName) in the cache. "
      + "'qvm pull \(wanted.rawValue) VERSION' downloads one"
  }

  // MARK: - In the releases

  private func printPublished(_ wanted: OperatingSystem?, _ cache: Cache) throws {
    let systems = wanted.map { [$0] } ?? OperatingSystem.allCases
    let images = try Interruptible.run { loop in
      let client = try ReleaseClient.forTerminal(cache, on: loop)
      var offers: [ImageOffer] = []
      var failure: (any Error)?
      for answer in await client.offers(of: systems) {
        switch answer.offers {
        case .success(let found): offers += found
        // A listing that fails does not hide the others.
        case .failure(let error): failure = failure ?? error
        }
      }
      try Task.checkCancellation()
      if let failure {
        guard !offers.isEmpty, let failure = failure as? any UserFacingError else { throw failure }
        Output.report(failure)
      }
      return offers
    }
    if isJSON {
      return try Output.print([
        "schema": 1, "available": .array(images.map { .object($0.json) }),
        "systems": .array(systems.map { .object($0.json) }),
      ])
    }
    var table = Table(["OS", "VERSION", "ARCH", "RELEASE", "SIZE"])
    for image in images {
      table.add([
        image.operatingSystem.rawValue, image.version, image.architecture.rawValue,
        image.needsZstd ? "\(image.tag) (needs zstd)" : image.tag,
        image.size.map { ByteCount.text($0) } ?? "-",
      ])
    }
    try Output.show(table.text)
    if images.isEmpty { Output.note("qvm: \(try Self.nonePublished(wanted))\n") }
    // Scripts get them in JSON, and one table here.
    if Terminal.isTerminal(1) { try printLogins(systems) }
  }

  /// Who can log in to the images, and what they have.
  private func printLogins(_ systems: [OperatingSystem]) throws {
    var table = Table(["OS", "USER", "PASSWORD", "ROOT", "PACKAGES"])
    let rows = systems.compactMap { system in
      system.login.map {
        [
          system.rawValue, $0.user, $0.password, $0.rootCommand ?? "is root",
          system.packages.joined(separator: " "),
        ]
      }
    }
    if rows.isEmpty { return }
    for row in rows { table.add(row) }
    table.fit(in: Output.width, leavingOut: ["PACKAGES", "ROOT"])
    try Output.show("\n\(table.text)")
  }

  private static func nonePublished(_ wanted: OperatingSystem?) throws -> String {
    guard let wanted else { return "no release has any base image" }
    guard let repository = wanted.builderRepository else {
      return "\(wanted.displayName) is built in: 'qvm run \(wanted.rawValue) 1' needs no download"
    }
    let page = try ReleaseSource.fromEnvironment().page(repository)
    return "no release on \(page) has base images for \(wanted.displayName)"
  }
}

extension OperatingSystem {
  fileprivate var json: JSONObject {
    var object: JSONObject = [
      "os": .string(rawValue), "packages": .array(packages.map { .string($0) }),
    ]
    object["user"] = login.map { .string($0.user) }
    object["password"] = login.map { .string($0.password) }
    object["root"] = login?.rootCommand.map { .string($0) }
    return object
  }
}

extension ImageOffer {
  fileprivate var json: JSONObject {
    var object: JSONObject = [
      "os": .string(operatingSystem.rawValue), "version": .string(version),
      "platform": .string(architecture.rawValue), "release": .string(tag),
    ]
    object["bytes"] = size.map { .integer(Int64($0)) }
    if needsZstd { object["needs"] = "zstd" }
    return object
  }
}
