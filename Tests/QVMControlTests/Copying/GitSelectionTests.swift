import QMPClient
import TestSupport
import Testing

@testable import QVMControl

/// What is taken of folders under git.
@Suite(.timeLimit(.minutes(2))) struct GitSelectionTests {
  private func choose(
    after line: String, in sub: String = ""
  ) throws -> (names: Set<String>?, note: String?) {
    let folder = try TemporaryFolder()
    let loop = try EventLoop()
    let choice = try loop.run {
      let script = """
        export HOME='\(folder.path)' GIT_CONFIG_NOSYSTEM=1
        git config --global user.name x; git config --global user.email x
        git config --global protocol.file.allow always
        mkdir '\(folder.path)/p' && cd '\(folder.path)/p' && git init -q . && \(line)
        """
      let made = try await Subprocess.run("/bin/sh", ["-c", script], on: loop)
      #expect(made.end == .exited(0), "\(made.problem)")
      return try await GitSelection.find(in: "\(folder.path)/p\(sub)", on: loop)
    }
    return (choice.selection.map { Set(Self.names($0.top, "")) }, choice.note)
  }

  private static func names(_ part: PathSelection.Part, _ path: String) -> [String] {
    switch part {
    case .whole: [path]
    case .some(let parts):
      parts.flatMap {
        names($1, (path.isEmpty ? "" : "\(path)/") + String(decoding: $0, as: UTF8.self))
      }
    }
  }

  @Test func `tracked and new files are taken, ignored and removed ones aren't`() throws {
    let choice = try choose(
      after: "echo '*.o' >.gitignore && touch a.c a.o gone 'x y' && git add a.c gone && rm gone")
    #expect(choice.names == [".git", ".gitignore", "a.c", "x y"])
    #expect(choice.note == nil)
    let inner = try choose(
      after: "echo '*.o' >.gitignore; mkdir s; touch s/a s/a.o", in: "/s")
    #expect(inner.names == ["a"])
    let ignored = try choose(after: "echo s/ >.gitignore; mkdir s; touch s/a", in: "/s")
    #expect(ignored.names == nil && ignored.note == nil)
  }

  @Test func `a submodule comes with its own files, and a worktree's git is said not to work`()
    throws
  {
    let module = try choose(
      after: """
        git init -q ../m && (cd ../m && echo '*.o' >.gitignore && git add . && git commit -qm m) \
        && git submodule --quiet add ../m sub && touch sub/new sub/x.o
        """)
    #expect(
      module.names == [".git", ".gitmodules", "sub/.git", "sub/.gitignore", "sub/new"],
      "\(module.note ?? "")")
    let tree = try choose(
      after: "git commit -q --allow-empty -m x && git worktree add -q ../p/tree && touch tree/f",
      in: "/tree")
    #expect(tree.names == [".git", "f"])
    #expect(tree.note?.contains("git does not work") == true)
  }
}
