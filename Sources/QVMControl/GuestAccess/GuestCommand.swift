/// A command for a guest, and what ends it there.
///
/// A command whose connection is closed runs on: ssh passes no signals on, and a server tells only what
/// has a terminal. So the command gets a process group of its own, whose number is in a file for as
/// long as it runs; a second connection ends that group.
package struct GuestCommand: Sendable, Hashable {
  /// Names the command's file.
  private let token: String
  private let text: String

  /// - Parameter words: What ssh would join with blanks for the guest's login shell, which reads
  ///   them.
  package init(_ words: [String]) {
    token = Randomness.hexadecimal(bytes: 8)
    text = words.joined(separator: " ")
  }

  /// The command's file in the guest.
  package var file: String { "/tmp/.qvm-\(token)" }

  /// How ``endingLine`` ends where the command had not begun, and won't.
  static let notBegun: Int32 = 3

  /// What ssh gets: the command's input, output and exit status are its own.
  ///
  /// An OpenSSH server makes each command the leader of a group; for one of dropbear `setsid` does.
  /// The shell that waits for the command stays, so that a signal shows in the exit status; its own
  /// messages about that, such as "Terminated", nobody is to read.
  package var line: String {
    LoginShell.line(
      running: #"""
        f=\#(file)
        if [ -z "$2" ] && ! kill -0 -$$ 2>/dev/null && command -v setsid >/dev/null; then
          exec setsid /bin/sh -c '\#(LoginShell.decoding)' qvm "$1" again
        fi
        if ! (umask 077; set -C; echo $$ >$f) 2>/dev/null && [ -e $f ]; then
          rm -f $f
          exit 143
        fi
        trap : HUP INT TERM
        exec 9>&2 2>/dev/null
        (exec "${SHELL:-/bin/sh}" -c \#(LoginShell.quoted(text)) 2>&9 9>&-)
        s=$?
        rm -f $f
        exit $s
        """#)
  }

  /// What ssh gets to end the command: SIGTERM for its group, SIGKILL for what is left of it after
  /// five seconds.
  ///
  /// Its exit status is 0 where the command has ended. One that has not begun finds its file taken,
  /// and ends: ``notBegun`` where it doesn't come for it soon.
  package var endingLine: String {
    LoginShell.line(
      running: #"""
        f=\#(file)
        n=0
        if (umask 077; set -C; echo >$f) 2>/dev/null; then
          while [ -e $f ]; do
            if [ $n -ge 10 ]; then rm -f $f; exit \#(Self.notBegun); fi
            n=$((n+1))
            sleep 0.2 2>/dev/null || sleep 1
          done
          exit 0
        fi
        g=
        read g <$f
        if [ -z "$g" ]; then echo "there is no $f" >&2; exit 1; fi
        kill -TERM -$g
        while kill -0 -$g 2>/dev/null && [ $n -lt 25 ]; do
          n=$((n+1))
          sleep 0.2 2>/dev/null || sleep 1
        done
        kill -KILL -$g 2>/dev/null
        rm -f $f
        """#)
  }

  /// What ssh gets to look whether the command runs: with exit status 0 it does, with ``isOver`` not.
  var lookingLine: String {
    LoginShell.line(running: "if [ -e \(file) ]; then exit 0; else exit \(Self.isOver); fi")
  }

  /// How ``lookingLine`` ends where the command doesn't run.
  static let isOver: Int32 = 3
}
