import Foundation
import QVMControl

/// One block of specification §7, as it stands in `Fixtures/Drivers`.
struct SpecifiedCommand {
  /// The block, with the paths in the place of its variables and without their double quotes.
  let text: String

  init(_ driver: Driver, paths: DriverPaths) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../Fixtures/Drivers").standardizedFileURL
    text = try String(contentsOf: folder.appending(path: "\(driver).sh"), encoding: .utf8)
      .replacing("$QVM_CACHE", with: paths.cache)
      .replacing("$VM_IMAGE", with: paths.image)
      .replacing("\"", with: "")
  }

  var words: [String] {
    text.replacing("\\\n", with: " ").split(whereSeparator: \.isWhitespace).map(String.init)
  }

  /// The names of the fixtures, without their extension.
  static func names() throws -> Set<String> {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../Fixtures/Drivers").standardizedFileURL
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    return Set(files.filter { $0.hasSuffix(".sh") }.map { String($0.dropLast(3)) })
  }
}
