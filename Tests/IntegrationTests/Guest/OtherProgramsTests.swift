import Foundation
import QMPClient
import QVMControl
import TestSupport
import Testing

/// Programs that run ssh themselves reach the guest: by `qvm ssh` in ssh's place, and by `ssh-config`.
@Suite(.timeLimit(.minutes(15))) struct OtherProgramsTests {
  /// Puts the host's own programs into the guest, which has none of them: with their libraries, and with
  /// the loader that belongs to those.
  private static let install = """
    set -e
    mkdir -p host/bin host/lib
    cd host
    for program in scp git rsync; do
      file=$(command -v $program) && cp -L "$file" bin/$program
    done
    for file in /usr/lib/openssh/sftp-server /usr/lib/ssh/sftp-server; do
      [ -x $file ] && cp -L $file bin/sftp-server
    done
    for file in bin/*; do ldd $file; done |
      sed -n 's/.*=> \\(.*\\) (.*/\\1/p; s/^[[:space:]]*\\(\\/lib[^ ]*\\) .*/\\1/p' |
      sort -u | while read -r file; do cp -L "$file" lib/; done
    mv lib/ld-* lib/loader
    tar -cf - . | "$QVM" exec box '
      set -e
      mkdir /tmp/host && cd /tmp/host && tar -xf -
      wrap() {
        printf "#!/bin/sh\\nexec /tmp/host/lib/loader --library-path /tmp/host/lib %s \\"\\$@\\"\\n" "$2" >$1
        chmod +x $1
        sudo cp $1 ${3-/bin/$1}
      }
      for program in bin/*; do
        program=${program#bin/}
        case $program in
          sftp-server)
            sudo mkdir -p /usr/lib
            wrap $program /tmp/host/bin/$program /usr/lib/$program ;;
          *) wrap $program /tmp/host/bin/$program ;;
        esac
      done
      for service in upload-pack receive-pack; do wrap git-$service "/tmp/host/bin/git $service"; done'
    ls bin
    """

  /// What is done with `$SSH` as ssh's place holder for rsync and git, `$OPTION` for scp and sftp.
  private static let uses = [
    (
      "scp", "scp",
      """
      scp -q -O $OPTION "$FILE" 'box:by\\ scp'
      scp -q -O $OPTION 'box:by\\ scp' back
      cmp "$FILE" back
      """
    ),
    (
      "sftp", "sftp-server",
      """
      scp -q -r $OPTION "$FOLDER" box:tree
      scp -q -r $OPTION box:tree back.d
      cmp "$FILE" "back.d/a b"
      echo 'get "tree/a b" got' | sftp -q -b - $OPTION box
      cmp "$FILE" got
      """
    ),
    (
      "rsync", "rsync",
      """
      rsync -a -e "$SSH" "$FOLDER/" 'box:the tree/'
      rsync -a -e "$SSH" 'box:the tree/' synced/
      diff -r "$FOLDER" synced
      """
    ),
    (
      "git", "git",
      """
      export GIT_SSH_COMMAND="$SSH"
      "$QVM" exec box git init -q --bare 'the project.git'
      git -C "$PROJECT" push -q 'box:the project.git' HEAD:main
      git clone -q -b main 'box:the project.git' cloned
      cmp "$FILE" 'cloned/a b'
      git ls-remote ssh://box/home/runner/the%20project.git | grep -q main
      """
    ),
  ]

  private func shell(
    _ script: String, _ environment: [String: String], in sandbox: Sandbox
  ) async throws -> Sandbox.Output {
    try await sandbox.start(
      URL(filePath: "/bin/sh"), ["-ec", "cd '\(sandbox.folder.path)'\n" + script],
      environment: environment.merging(["QVM": try Sandbox.program.path]) { $1 }
    ).end(within: .seconds(200))
  }

  @Test func `scp, sftp, rsync and git work by qvm ssh and by ssh-config`() async throws {
    try await Sandbox.with { sandbox in
      let odd = sandbox.folder.appending(path: "a b%h\"'\\ $HOME")
      try FileManager.default.createSymbolicLink(at: odd, withDestinationURL: sandbox.cache)
      sandbox.environment["QVM_CACHE"] = odd.path
      try await sandbox.configureSSH(["Host *", "ProxyCommand false", "RemoteCommand echo no"])
      try await sandbox.plant(try LinuxGuest.linux.image, as: "freebsd-14.2-x86-64")
      let run = try await sandbox.qvm(
        "run", "-d", "--name", "box", "--memory", "256M", "--platform", "x86-64", "freebsd", "14.2")
      #expect(run.status == 0, "\(run.err)")
      let wait = try sandbox.start("wait", "box", "--timeout", "250")
      #expect(try await wait.end(within: .seconds(260)).status == 0)
      let programs = try await shell(Self.install, [:], in: sandbox)
      #expect(programs.status == 0, "\(programs.err)")
      let installed = Set(programs.out.split(separator: "\n").map(String.init))
      #expect(installed.contains("scp") && installed.contains("git"))

      let prepared = try await shell(
        """
        mkdir project
        cd project
        head -c 200000 /dev/urandom >'a b' && ln -s 'a b' link && mkdir empty
        git init -q
        git add .
        git -c user.name=n -c user.email=e commit -q -m one
        mkdir -p ../folder/empty
        cp 'a b' ../folder
        printf '#!/bin/sh\\nexec "$QVM" ssh "$@"\\n' >../wrapper
        chmod +x ../wrapper
        "$QVM" ssh-config box >../config
        """, [:], in: sandbox)
      #expect(prepared.status == 0, "\(prepared.err)")
      let place = sandbox.folder.path
      for (way, ssh, option) in [
        ("wrapper", "\(place)/wrapper", "-S \(place)/wrapper"),
        ("config", "ssh -F \(place)/config", "-F \(place)/config"),
      ] {
        for (name, program, script) in Self.uses where installed.contains(program) {
          let use = try await shell(
            "mkdir \(way)-\(name)\ncd \(way)-\(name)\n" + script,
            [
              "SSH": ssh, "OPTION": option, "PROJECT": "\(place)/project",
              "FOLDER": "\(place)/folder", "FILE": "\(place)/project/a b",
            ], in: sandbox)
          #expect(use.status == 0, "\(name) by the \(way): \(use.err)")
        }
        _ = try await sandbox.qvm("exec", "box", "cd && rm -rf *")
      }
      try await checkChoice(in: sandbox)
    }
  }

  /// Whose blocks are printed.
  private func checkChoice(in sandbox: Sandbox) async throws {
    // It has no ssh server.
    _ = try await sandbox.qvm("run", "-d", "--name", "demo", "demo", "1")
    let all = try await sandbox.qvm("ssh-config")
    #expect(all.out.hasPrefix("Host box\n"))
    #expect(all.out.components(separatedBy: "Host ").count == 2)
    let without = try await sandbox.qvm("ssh-config", "box", "demo")
    #expect(without.reports(SSHError.noServer(name: "demo")))
    #expect(without.out.isEmpty && without.status == 1)
    #expect(try await sandbox.qvm("stop", "--force", "box", "demo").status == 0)
    let stopped = try await sandbox.qvm("ssh-config", "box")
    #expect(stopped.status == 3)
    #expect(stopped.reports(SSHError.notRunning(name: "box")))
    let none = try await sandbox.qvm("ssh-config")
    #expect(none.status == 0 && none.out.isEmpty && !none.err.isEmpty)
    #expect(try await sandbox.qvm("ssh-config", "no-such").status == 4)
  }
}
