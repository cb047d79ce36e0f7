/// What is to run in a guest: the words, and the surroundings that they run in.
package struct GuestTask: Sendable, Hashable {
  /// How the guest reads the words.
  package enum Reading: Sendable, Hashable {
    /// As ssh does: the words are joined by blanks, and the user's login shell reads the line.
    case line
    /// One word is a line for the guest's `/bin/sh`. Several words are a program and exactly its
    /// arguments, whatever they contain.
    case exact
  }

  let words: [String]
  let reading: Reading
  /// What is added to the environment, in this order.
  package var environment: [EnvironmentVariable] = []
  /// The folder in the guest; nil for the one that the login begins in.
  package var folder: String?

  /// - Parameters:
  ///   - words: At least one.
  ///   - reading: How the guest reads them.
  package init(_ words: [String], _ reading: Reading) {
    self.words = words
    self.reading = reading
  }

  /// A script for a POSIX shell, which becomes the program.
  ///
  /// Its exit status is that of the program: 127 if there is none of that name, 126 if it can't be
  /// executed or the folder can't be entered.
  var script: String {
    let place = folder.map { ["cd -- \(LoginShell.quoted($0)) || exit 126"] } ?? []
    let exports = environment.map { "export \($0.name)=\(LoginShell.quoted($0.value))" }
    return (place + exports + ["exec \(program)"]).joined(separator: "; ")
  }

  private var program: String {
    switch (reading, words.count) {
    case (.line, _):
      "\"${SHELL:-/bin/sh}\" -c \(LoginShell.quoted(words.joined(separator: " ")))"
    case (.exact, 1): "/bin/sh -c \(LoginShell.quoted(words[0]))"
    case (.exact, _): words.map(LoginShell.quoted).joined(separator: " ")
    }
  }

  /// The command line for ssh where the guest gives the task a terminal. It ends with that terminal,
  /// so nothing has to remember its process group.
  ///
  /// The shell stays, so that a signal from the keyboard shows in the exit status. A server reports the
  /// end of its own process by a signal in another way, and ssh then exits with 255.
  package var terminalLine: String {
    LoginShell.line(running: "trap : HUP INT QUIT TERM\n(\(script))\nexit $?")
  }
}
