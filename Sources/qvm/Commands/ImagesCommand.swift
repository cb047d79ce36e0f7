import QMPClient
import QVMControl

struct ImagesCommand: Command {
  static let name = "images"
  static let summary = "List the base images in the cache, and who uses them."
  static let discussion: String? = """
    The state is 'ok'; 'unverified' where the release names no digest that the image could have been
    compared with; 'changed' where the file is no longer the one that was checked, of which 'qvm
    verify' tells more; 'incomplete record'; or 'missing' where instances need it.
    """
  static let parameters: [Parameter<Self>] = [
    .argument(
      "OS", "Only those of this operating system.", \.system, completing: .operatingSystems),
    .flag("--available", "List what the releases have instead.", \.isAvailable),
    .flag("--json", "Print one JSON document.", \.isJSON),
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
    let images = try ImageStatus.all(in: cache).filter { image in
      wanted.map { image.name.hasPrefix("\($0.rawValue)-") } ?? true
    }
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
        image.name, image.tag, image.size.map { Spelled.bytes($0.file) } ?? "-",
        image.size.map { Spelled.bytes($0.disk) } ?? "-",
        image.image?.fetched.description ?? "-", image.state.rawValue,
        image.users.isEmpty ? "-" : image.users.joined(separator: ", "),
      ])
    }
    try Output.print(table.text)
    if builds.isEmpty { return }
    var qemu = Table(["QEMU", "RELEASE", "ON DISK"])
    for build in builds {
      qemu.add([
        build.target == "img" ? "qemu-img" : build.target, build.tag, Spelled.bytes(build.size),
      ])
    }
    try Output.print("\n\(qemu.text)")
  }

  // MARK: - In the releases

  private func printPublished(_ wanted: OperatingSystem?, _ cache: Cache) throws {
    let systems = wanted.map { [$0] } ?? OperatingSystem.allCases
    let signals = Mailbox<Signal>()
    Signal.handle([.interrupt, .terminate, .hangUp]) { signals.send($0) }
    let loop = try EventLoop()
    let images = try loop.run {
      let client = try ReleaseClient.forTerminal(cache, on: loop)
      return try await Interruption.cancelling(on: signals, loop) {
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
          guard !offers.isEmpty, let failure = failure as? any QVMFailure else { throw failure }
          Output.report(failure)
        }
        return offers
      }
    }
    if isJSON {
      return try Output.print([
        "schema": 1, "available": .array(images.map { .object($0.json) }),
      ])
    }
    var table = Table(["OS", "VERSION", "ARCH", "RELEASE", "SIZE"])
    for image in images {
      table.add([
        image.operatingSystem.rawValue, image.version, image.architecture.rawValue, image.tag,
        image.size.map { Spelled.bytes($0) } ?? "-",
      ])
    }
    try Output.print(table.text)
  }
}

extension ImageOffer {
  fileprivate var json: JSONObject {
    var object: JSONObject = [
      "os": .string(operatingSystem.rawValue), "version": .string(version),
      "platform": .string(architecture.rawValue), "release": .string(tag),
    ]
    object["bytes"] = size.map { .integer(Int64($0)) }
    return object
  }
}
