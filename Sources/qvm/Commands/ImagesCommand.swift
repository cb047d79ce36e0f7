import QMPClient
import QVMControl

struct ImagesCommand: Command {
  static let name = "images"
  static let summary = "List the base images in the cache, and who uses them."
  static let discussion: String? = """
    The state is 'ok'; 'unverified' where the release names no digest that the image could have been
    compared with; 'changed' if the file has other bytes than those that were checked, of which 'qvm
    verify' tells more; 'incomplete record'; or 'missing' if instances need it. After a cache was
    copied or restored from an archive, the first look at an image compares its digest once.
    """
  static let parameters: [Parameter<Self>] = [
    .argument(
      "OS", orNone: true, "Only those of this operating system.", completing: .operatingSystems
    ) { $0.system = $1 },
    .flag("--available", "List what the releases have instead.") { $0.isAvailable = true },
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
    try isAvailable ? printPublished(wanted, cache) : printCached(wanted, cache)
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

  /// Looks at the bytes of those images whose files are others than those on record.
  private func compared(_ images: [ImageStatus], _ cache: Cache) throws -> [ImageStatus] {
    let doubtful = images.count { $0.image?.needsComparison == true }
    if doubtful == 0 { return images }
    let which =
      doubtful == 1 ? "an image whose file isn't" : "\(doubtful) images whose files aren't"
    Output.note("qvm: reading \(which) the one on record, to compare its digest …\n")
    return try Interruptible.run { loop in
      var compared: [ImageStatus] = []
      for image in images {
        // One that can't be read keeps the state that it has by its looks.
        do { compared.append(try await image.compared(in: cache, on: loop)) } catch is FileError {
          compared.append(image)
        }
      }
      return compared
    }
  }

  private static func noneCached(_ wanted: OperatingSystem?) -> String {
    guard let wanted else {
      return "no base image is in the cache yet; 'qvm pull OS VERSION' fetches one"
    }
    return "no base image of \(wanted.displayName) is in the cache yet; "
      + "'qvm pull \(wanted.rawValue) VERSION' fetches one"
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
        // One that can't be told doesn't hide the others.
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
