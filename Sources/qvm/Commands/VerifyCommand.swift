import QMPClient
import QVMControl

struct VerifyCommand: Command {
  static let name = "verify"
  static let summary = "Check every base image in the cache, byte for byte."
  static let discussion: String? = """
    The digest of each image is compared with qvm's record, its header is checked, and 'qemu-img check'
    examines it. The files of a downloaded QEMU are compared with those that were unpacked. If the
    release of an image named no digest at the time of the download but names one now, the image is
    compared with that.

    The exit status is 1 if something is wrong. qvm then prints the command that downloads the same
    file again. Other images and their instances are not affected.
    """
  static let parameters: [Parameter<Self>] = [
    .flag("--json", "Print one JSON document.") { $0.isJSON = true }
  ]

  var isJSON = false

  func advice(extra word: String) -> String? {
    "Leave out '\(word)': 'qvm verify' checks all base images. 'qvm images' lists them."
  }

  func run() throws -> ExitStatus {
    let cache = try Cache.fromEnvironment()
    let found = try Interruptible.run { try await Self.verify(cache, on: $0) }
    try isJSON ? printJSON(found) : printTable(found)
    return found.allSatisfy(\.result.isGood) ? .done : .failed
  }

  private static func verify(_ cache: Cache, on loop: EventLoop) async throws
    -> [VerificationReport]
  {
    let images = try ImageStatus.all(in: cache)
    let tools = ImageTools.present(in: cache)
    if tools == nil, !images.isEmpty {
      Output.note("qvm: qemu-img is not installed, so only digests and headers are checked\n")
    }
    let published = try await digests(of: images.compactMap(\.image), cache, on: loop)
    let isLive = Terminal.isTerminal(2)
    defer { if isLive { Output.draw("\r\u{1B}[K") } }
    var found: [VerificationReport] = []
    for (index, image) in images.enumerated() {
      if isLive {
        let size = image.size.map { ", \(ByteCount.text($0.file))" } ?? ""
        let line = ForeignText.line(
          "\(index + 1) of \(images.count): \(image.name) (\(image.tag)\(size))")
        let width = max((Terminal.width(of: 2) ?? 80) - 1, 1)
        Output.draw("\r\u{1B}[K\(line.prefix(width))")
      }
      found.append(try await VerificationReport(image, in: cache, with: tools, published, on: loop))
    }
    for build in QEMUBuild.all(in: cache) {
      found.append(try await VerificationReport(build, on: loop))
    }
    return found
  }

  /// The digests of images that were downloaded without one. If they are not available, the images are
  /// checked nevertheless.
  private static func digests(
    of images: [BaseImage], _ cache: Cache, on loop: EventLoop
  ) async throws -> PublishedDigests {
    let client = try ReleaseClient.forTerminal(cache, isQuiet: true, on: loop)
    let published = await PublishedDigests(of: images, with: client)
    try Task.checkCancellation()
    for failure in published.failures {
      Output.note("qvm: cannot get the digests of a release: \(failure.message)\n")
    }
    return published
  }

  private func printTable(_ found: [VerificationReport]) throws {
    var table = Table(["NAME", "RELEASE", "RESULT", "USED BY"])
    for one in found {
      table.add([
        one.name, one.tag, one.result.word,
        one.users.isEmpty ? "-" : one.users.joined(separator: ", "),
      ])
    }
    try Output.show(table.text)
    let unverified = found.filter { $0.result == .unverified }.map(\.name)
    if !unverified.isEmpty {
      Output.note(
        "qvm: unverified means as it was downloaded, but its release names no digest to compare it"
          + " with: \(unverified.joined(separator: ", "))\n")
    }
    for one in found where !one.result.isGood {
      Output.note("qvm: \(one.path) \(one.result.sentence)\n")
      if let command = one.command { Output.note("     \(Self.advice(one, command))\n") }
    }
  }

  private static func advice(_ one: VerificationReport, _ command: String) -> String {
    one.isImage
      ? "Download the same image again with '\(command)'."
      : "Remove it with '\(command)'. The next run downloads it again."
  }

  private func printJSON(_ found: [VerificationReport]) throws {
    try Output.print([
      "schema": 1, "images": .array(found.filter(\.isImage).map { .object($0.json) }),
      "qemu": .array(found.filter { !$0.isImage }.map { .object($0.json) }),
    ])
  }
}
