internal import Foundation

/// Users whose ssh isn't as it comes.
extension Sandbox {
  /// Gives the user a configuration for ssh, by its lines, as if it stood in `~/.ssh/config`.
  ///
  /// The home in which ssh looks for that is the one in passwd, whatever HOME says. So commands find
  /// another ssh, which reads this where ssh would read the user's: where it isn't told what to read.
  package mutating func configureSSH(_ lines: [String]) async throws {
    let file = folder.appending(path: "ssh_config")
    try Data(lines.map { "\($0)\n" }.joined().utf8).write(to: file)
    try await useSSH(
      script: """
        for word; do [ "$word" != -F ] || exec "$REAL" "$@"; done
        exec "$REAL" -F '\(file.path)' "$@"
        """)
  }

  /// Has commands find an ssh that is a shell script, in which `REAL` is the system's.
  package mutating func useSSH(script: String) async throws {
    let bin = folder.appending(path: "ssh-bin")
    let path = environment["PATH"] ?? "/usr/bin:/bin"
    try await writeProgram(
      "REAL=$(PATH='\(path)' command -v ssh)\n\(script)", to: bin.appending(path: "ssh"))
    environment["PATH"] = "\(bin.path):\(path)"
  }
}
