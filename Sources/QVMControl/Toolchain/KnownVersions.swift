package import QMPClient

/// The versions of the QEMUs that were used with a cache, so that a start need not ask.
///
/// What a QEMU takes on its command line must be known before it runs. It is asked once; after that
/// a small file tells, for as long as the program is the same file.
package struct KnownVersions: Sendable {
  private static let schema = 1
  /// How long a QEMU may take to say its version; it takes about 20 ms.
  private static let patience = Duration.seconds(3)

  private let folder: String

  package init(in cache: Cache) { folder = "\(cache.path)/qemu" }

  private func file(_ program: String) -> String {
    "\(folder)/.version-\(FNV1a.hexadecimal(program)).json"
  }

  /// What is on file; nil where nothing is, or the program is another one by now.
  package func known(_ program: String) -> QEMUVersion? {
    guard let stamp = Self.stamp(of: program), let json = try? JSONFile.read(file(program)),
      json["schema"]?.int == Self.schema, json["program"]?.string == program,
      FileStamp(json) == stamp, let text = json["version"]?.string
    else { return nil }
    return QEMUVersion(text)
  }

  /// The version of a QEMU, which is asked where nobody knows; nil where it doesn't say.
  func version(of program: String, on loop: EventLoop) async -> QEMUVersion? {
    if let known = known(program) { return known }
    guard let version = await Self.ask(program, on: loop) else { return nil }
    note(version, of: program)
    return version
  }

  /// Asks a QEMU for its version; nil where it doesn't say.
  private static func ask(_ program: String, on loop: EventLoop) async -> QEMUVersion? {
    // One that doesn't end must not outlive whoever asked.
    let (tethered, words) = await ParentDeathSignal.command(program, ["--version"])
    let output = try? await Subprocess.run(tethered, words, within: patience, on: loop)
    guard let output, output.succeeded else { return nil }
    let said = String(decoding: output.standardOutput, as: UTF8.self)
      .split(whereSeparator: \.isWhitespace)
    guard let place = said.firstIndex(of: "version"), place + 1 < said.count else { return nil }
    return QEMUVersion(String(said[place + 1]))
  }

  /// Writes a version down; where that fails the QEMU is asked again the next time.
  func note(_ version: QEMUVersion, of program: String) {
    guard let stamp = Self.stamp(of: program), known(program) != version else { return }
    var object: JSONObject = [
      "schema": .integer(Int64(Self.schema)), "program": .string(program),
      "version": .string(version.description), "bytes": .integer(Int64(stamp.size)),
    ]
    for member in stamp.members.members { object[member.name] = member.value }
    try? JSONFile.write(.object(object), to: file(program), isLasting: false)
  }

  private static func stamp(of program: String) -> FileStamp? {
    Files.resolved(program).flatMap(Files.information).map { FileStamp($0) }
  }
}
