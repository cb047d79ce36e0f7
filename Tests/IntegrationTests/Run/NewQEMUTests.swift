import Foundation
import QMPClient
import TestSupport
import Testing

/// QEMUs that are newer than the machine's own, as far as their words go: the machine's plays them.
@Suite(.timeLimit(.minutes(15))) struct NewQEMUTests {
  private static let says = """
    if [ "$1" = --version ]; then echo 'QEMU emulator version 11.1.3 (Debian)'; exit; fi
    """

  @Test func `one that has monitors as objects gets them so, from its first start on`() async throws
  {
    try await Sandbox.with { sandbox in
      // A real one of that version would warn of -mon; this one doesn't start with it.
      try await sandbox.useQEMU(
        script: """
          \(Self.says)
          for word; do
            shift
            case $word in
              -mon) echo 'warning: -mon is deprecated' >&2; exit 1 ;;
              monitor-qmp,id=*-qmp,chardev=*)
                set -- "$@" "chardev=${word##*chardev=},mode=control" ;;
              -object) set -- "$@" -mon ;;
              *) set -- "$@" "$word" ;;
            esac
          done
          exec $REAL "$@"
          """)
      let run = try await sandbox.qvm("run", "-d", "--rm", "--name", "new", "demo", "1")
      #expect(run.status == 0, "\(run.err)")
      #expect(try await sandbox.status("new")["phase"]?.string == "running")
      let words = sandbox.file("boot.json", of: "new")["command"]?.array?.compactMap(\.string) ?? []
      #expect(words.contains("monitor-qmp,id=supervisor-qmp,chardev=supervisor"))
      #expect(words.contains("monitor-qmp,id=monitor-qmp,chardev=monitor"))
      #expect(try await sandbox.qvm("stop", "new").status == 0)
    }
  }

  @Test func `a program that says one version and starts another is started all the same`()
    async throws
  {
    try await Sandbox.with { sandbox in
      try await sandbox.useQEMU(script: "\(Self.says)\nexec $REAL \"$@\"")
      for _ in 0..<2 {
        let run = try await sandbox.qvm("run", "-d", "--rm", "--name", "old", "demo", "1")
        #expect(run.status == 0, "\(run.err)")
        // From now on it is known better.
        #expect(try await sandbox.qvm("run", "--dry-run", "demo", "1").out.contains("-mon "))
        #expect(try await sandbox.qvm("stop", "old").status == 0)
      }
    }
  }

  @Test func `doctor tells of a SeaBIOS that is too old for its QEMU`() async throws {
    try await Sandbox.with { sandbox in
      // One of a version that has yet to come, which ends when its guest is to run.
      try sandbox.useFakeQEMU(fault: "dies at once")
      // The machine's own, with an old version in its place.
      let file = sandbox.folder.appending(path: "qemu/share/qemu/bios-256k.bin")
      var bytes = try Data(contentsOf: file.resolvingSymlinksInPath())
      let version = try #require(Self.version(in: bytes))
      bytes.replaceSubrange(version, with: Data("1.16.2".utf8))
      try FileManager.default.removeItem(at: file)
      try bytes.write(to: file)
      let doctor = try await sandbox.qvm("doctor", "--json")
      let check = doctor.json["checks"]?.array?.first {
        $0["name"]?.string == "bios-256k.bin for x86-64, folder"
      }
      #expect(check?["state"]?.string == "absent", "\(doctor.out)")
      #expect(
        check?["detail"]?.string?.contains("is SeaBIOS 1.16.2, which with QEMU 99.1.0") == true)
    }
  }

  /// Where in an image of SeaBIOS its version is: `1.16.2` of `1.16.2-debian-1.16.2-1`.
  private static func version(in image: Data) -> Range<Data.Index>? {
    let pattern = Array("1.1".utf8)
    for start in image.indices.dropLast(16)
    where image[start..<start + 3].elementsEqual(pattern)
      && image[start + 6] == UInt8(ascii: "-")
    {
      return start..<start + 6
    }
    return nil
  }
}
