package import Foundation
package import QMPClient

/// What tests of crashes do with instances behind qvm's back.
extension Sandbox {
  package func folder(of instance: String) -> URL {
    cache.appending(path: "instances/\(instance)")
  }

  /// From now on the cache is one whose path is too long for the address of a socket.
  package mutating func lengthenCache() {
    let name = String(repeating: "long", count: 30)
    environment["QVM_CACHE"] = cache.appending(path: name).path
  }

  package func exists(_ instance: String) -> Bool {
    FileManager.default.fileExists(atPath: folder(of: instance).path)
  }

  /// A JSON file of an instance as it is now; null where it isn't there.
  package func file(_ name: String, of instance: String) -> JSONValue {
    let bytes = FileManager.default.contents(
      atPath: folder(of: instance).appending(path: name).path)
    return bytes.flatMap { try? JSONValue(parsing: Array($0)) } ?? .null
  }

  /// A text file of an instance.
  package func text(_ name: String, of instance: String) throws -> String {
    try String(contentsOf: folder(of: instance).appending(path: name), encoding: .utf8)
  }

  /// Replaces a member of a JSON file of an instance.
  package func change(
    _ member: String, to value: JSONValue, in file: String, of instance: String
  ) throws {
    var object = self.file(file, of: instance).object ?? JSONObject()
    object[member] = value
    try Data(JSONValue.object(object).bytes).write(
      to: folder(of: instance).appending(path: file))
  }

  /// The pids of the present boot, out of its record.
  package func pids(of instance: String) -> (supervisor: Int32?, qemu: Int32?) {
    let boot = file("boot.json", of: instance)
    return (boot["supervisorPid"]?.int.map(Int32.init), boot["pid"]?.int.map(Int32.init))
  }

  /// Makes a stopped instance whose disk holds a pattern.
  package func makeSeed(
    _ name: String = "seed", _ guest: [String] = ["demo", "1"]
  ) async throws {
    let boot = try await qvm(["run", "-d", "--name", name] + guest)
    let stop = try await qvm("stop", "--force", name)
    guard boot.status == 0, stop.status == 0 else { throw Failure("\(boot.err)\(stop.err)") }
    let write = try await run(
      try Tool.qemuIO.url,
      ["-f", "qcow2", "-c", "write -P 0xa7 512k 64k", disk(of: name)])
    guard write.status == 0 else { throw Failure("qemu-io: \(write.err)") }
  }

  /// Makes a stopped instance that is a copy of another.
  package func copy(_ seed: String, as name: String) throws {
    try FileManager.default.copyItem(at: folder(of: seed), to: folder(of: name))
    try change("name", to: .string(name), in: "instance.json", of: name)
  }

  /// What is there when a test fails: its processes, and the ends of the instances' files.
  var state: String {
    var lines = ["\(id) has failed"]
    lines += processes.map { "lives: \($0.pid) \($0.command)" }
    let instances = cache.appending(path: "instances")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: instances.path)) ?? []
    for name in names.sorted() {
      for file in ["boot.json", "outcome.json", "supervisor.log", "qemu.log", "console.log"] {
        let path = folder(of: name).appending(path: file).path
        let bytes = FileManager.default.contents(atPath: path)
        guard let bytes, !bytes.isEmpty else { continue }
        let text = String(decoding: bytes.suffix(1500), as: UTF8.self)
        lines.append("\(name)/\(file):")
        lines += text.split(whereSeparator: \.isNewline).suffix(25).map { "  \($0)" }
      }
    }
    return lines.map { "  | \($0)" }.joined(separator: "\n")
  }

  package func disk(of instance: String) -> String {
    folder(of: instance).appending(path: "disk.qcow2").path
  }

  /// What is wrong with a disk that was made by ``makeSeed(_:)``; nil where nothing is.
  package func damage(of instance: String, hasPattern: Bool = true) async throws -> String? {
    let check = try await run(try Tool.qemuImg.url, ["check", "-q", disk(of: instance)])
    if check.status != 0 { return "qemu-img check \(instance): \(check.out)\(check.err)" }
    guard hasPattern else { return nil }
    let read = try await run(
      try Tool.qemuIO.url,
      ["-r", "-f", "qcow2", "-c", "read -P 0xa7 512k 64k", disk(of: instance)])
    // A pattern that differs is no error of qemu-io's.
    let isSame = read.status == 0 && !read.out.contains("verification failed")
    return isSame ? nil : "the data of \(instance) is lost: \(read.out)\(read.err)"
  }
}
