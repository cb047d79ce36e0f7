package import QMPClient

/// Remembers the versions of the QEMUs that a cache has used.
///
/// The arguments that qvm adds depend on QEMU's version. A QEMU is asked for it once. The answer is
/// kept in a small file, which is valid as long as the program's stamp stays the same.
package struct KnownVersions: Sendable {
  private static let schema = 1
  /// The timeout for asking a QEMU for its version, which takes about 20 ms.
  private static let timeout = Duration.seconds(3)

  private let folder: String

  package init(in cache: Cache) { folder = "\(cache.path)/qemu" }

  private func file(_ program: String) -> String {
    "\(folder)/.version-\(FNV1a.hexadecimal(program)).json"
  }

  /// The remembered version; nil if there is none or the program has changed.
  package func known(_ program: String) -> QEMUVersion? {
    guard let stamp = Self.stamp(of: program), let json = try? JSONFile.read(file(program)),
      json["schema"]?.int == Self.schema, json["program"]?.string == program,
      FileStamp(json) == stamp, let text = json["version"]?.string
    else { return nil }
    return QEMUVersion(text)
  }

  /// The version of a QEMU, remembered or asked; nil if it gives none.
  func version(of program: String, on loop: EventLoop) async -> QEMUVersion? {
    if let known = known(program) { return known }
    guard let version = await Self.ask(program, on: loop) else { return nil }
    note(version, of: program)
    return version
  }

  /// Asks a QEMU for its version; nil if it gives none.
  private static func ask(_ program: String, on loop: EventLoop) async -> QEMUVersion? {
    // A QEMU that hangs must not outlive this process.
    let (command, arguments) = await ParentDeathSignal.command(program, ["--version"])
    let output = try? await Subprocess.run(command, arguments, within: timeout, on: loop)
    guard let output, output.succeeded else { return nil }
    let said = String(decoding: output.standardOutput, as: UTF8.self)
      .split(whereSeparator: \.isWhitespace)
    guard let place = said.firstIndex(of: "version"), place + 1 < said.count else { return nil }
    return QEMUVersion(String(said[place + 1]))
  }

  /// Remembers a version. If that fails, the QEMU is asked again the next time.
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
