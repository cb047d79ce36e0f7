import QMPClient
import QVMControl

struct PruneCommand: Command {
  static let name = "prune"
  static let summary = "Remove base images that no instance needs, and leftover files."
  static let discussion: String? = """
    Leftover files come from commands and VMs that were killed: unfinished downloads, unfinished
    instances and stale sockets. Nothing that is in use is removed. On a terminal qvm asks for
    confirmation. Elsewhere --yes is required.

    With IMAGE, only those base images are removed, without confirmation. IMAGE is a name that
    'qvm images' lists; NAME@RELEASE is the image of one release. An image that an instance needs is
    not removed.
    """
  static let parameters: [Parameter<Self>] = [
    .arguments(
      "IMAGE", orNone: true, "Remove only these base images.",
      completing: .words {
        (try? Cache.fromEnvironment()).map { BaseImage.list(in: $0).map(\.name) } ?? []
      }
    ) { $0.images.append($1) },
    .flag("--dry-run", "List what would be removed, and remove nothing.") { $0.isDryRun = true },
    .flag("--yes", short: "-y", "Do not ask for confirmation.") { $0.isAgreed = true },
    .flag("--json", "Print one JSON document.") { $0.isJSON = true },
  ]

  var images: [String] = []
  var isDryRun = false
  var isAgreed = false
  var isJSON = false

  func run() throws -> ExitStatus {
    let cache = try Cache.fromEnvironment()
    let pruning = try images.isEmpty ? PrunePlan(cache) : PrunePlan(cache, images: images)
    if !pruning.unknownUsers.isEmpty {
      let names = pruning.unknownUsers.joined(separator: ", ")
      Output.note(
        "qvm: keeping every base image, because these broken instances may need any of them:"
          + " \(names)\n")
    }
    if pruning.items.isEmpty || isDryRun {
      if isJSON {
        try printJSON(pruning.items)
      } else if pruning.items.isEmpty {
        Output.note("qvm: nothing to remove\n")
      } else {
        try Output.show(Self.table(pruning))
      }
      return .done
    }
    if images.isEmpty, !isAgreed {
      guard Terminal.isTerminal(0), Terminal.isTerminal(2) else {
        throw PruningError.unconfirmed(count: pruning.items.count)
      }
      Output.note(Self.table(pruning) + "Remove all of this? [y/N] ")
      guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
        Output.note("qvm: nothing was removed\n")
        return .done
      }
    }
    return try remove(pruning)
  }

  private func remove(_ pruning: PrunePlan) throws -> ExitStatus {
    var removed: [PrunePlan.Item] = []
    var status = ExitStatus.done
    for item in pruning.items {
      do {
        switch try pruning.remove(item) {
        case .removed:
          removed.append(item)
          if !isJSON { try Output.print("\(item.name)\n") }
        case .gone: break
        case .kept:
          Output.note(
            "qvm: the \(item.kind.text) \(item.name) is now in use, and was not removed\n")
          // The user asked for this image by name.
          if !images.isEmpty { status = .failed }
        }
      } catch let failure as any UserFacingError where !(failure is OutputError) {
        Output.report(failure)
        status = failure.exitStatus
      }
    }
    if isJSON { try printJSON(removed) }
    let size = removed.reduce(0) { $0 + $1.size }
    Output.note("qvm: freed \(ByteCount.text(size))\n")
    return status
  }

  private static func table(_ pruning: PrunePlan) -> String {
    var table = Table(["WHAT", "NAME", "SIZE"])
    for item in pruning.items {
      table.add([item.kind.text, item.name, ByteCount.text(item.size)])
    }
    table.add(["total", "", ByteCount.text(pruning.size)])
    return table.text
  }

  private func printJSON(_ items: [PrunePlan.Item]) throws {
    try Output.print([
      "schema": 1, "dryRun": .bool(isDryRun), "removed": .array(items.map { .object($0.json) }),
      "bytes": .integer(Int64(items.reduce(0) { $0 + $1.size })),
    ])
  }
}
