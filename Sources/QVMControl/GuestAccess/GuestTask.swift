/// What is to run in a guest: the words, and the surroundings that they run in.
package struct GuestTask: Sendable, Hashable {
  /// How the guest reads the words.
  package enum Reading: Sendable, Hashable {
    /// As ssh does: the words are joined by blanks, and the user's login shell reads the line.
    case line
    /// One word is a line for the guest's `/bin/sh`. Several words are a program and exactly its
    /// arguments, whatever they contain.
    case exact
    /// The bytes are lines for the guest's `/bin/sh -e`, and the words are their arguments.
    case script([UInt8])
  }

  let words: [String]
  let reading: Reading
  /// What is added to the environment, in this order.
  package var environment: [EnvironmentVariable] = []
  /// The folder in the guest; nil for the one that the login begins in.
  package var folder: String?
  /// Whether it gets a terminal in the guest.
  package var hasTerminal = false
  /// Whether it reads this process's standard input; otherwise it has none.
  package var readsInput = true

  /// - Parameters:
  ///   - words: At least one, except for a script.
  ///   - reading: How the guest reads them.
  package init(_ words: [String], _ reading: Reading) {
    self.words = words
    self.reading = reading
  }

  /// A script for a POSIX shell, which becomes the program.
  ///
  /// Its exit status is that of the program: 127 if there is none of that name, 126 if it can't be
  /// executed or the folder can't be entered.
  var script: String { (surroundings + ["exec \(program)"]).joined(separator: "; ") }

  private var surroundings: [String] {
    let place = folder.map { ["cd -- \(LoginShell.quoted($0)) || exit 126"] } ?? []
    return place + environment.map { "export \($0.name)=\(LoginShell.quoted($0.value))" }
  }

  private var program: String {
    switch (reading, words.count) {
    case (.line, _):
      "\"${SHELL:-/bin/sh}\" -c \(LoginShell.quoted(words.joined(separator: " ")))"
    case (.exact, 1): "/bin/sh -c \(LoginShell.quoted(words[0]))"
    case (.exact, _), (.script, _): quotedWords
    }
  }

  private var quotedWords: String { words.map(LoginShell.quoted).joined(separator: " ") }
}

/// A task that is in a file in the guest.
extension GuestTask {
  /// Whether it can only be run from a file.
  var isScript: Bool {
    if case .script = reading { true } else { false }
  }

  /// The contents of a file that does the task. A shell has the file open when it removes it.
  ///
  /// In a script the shell counts its own lines, so what comes before them is on the first one.
  ///
  /// - Parameter path: The file's path in the guest, which needs no quotes.
  /// - Returns: Its bytes.
  func contents(ofFile path: String) -> [UInt8] {
    guard case .script(let lines) = reading else {
      return Array("rm -f \(path)\n\(script)\n".utf8)
    }
    let arguments = words.isEmpty ? [] : ["set -- \(quotedWords)"]
    let beginning = ["rm -f \(path)"] + surroundings + arguments
    return Array("\(beginning.joined(separator: "; ")); ".utf8) + lines
  }

  /// A script for a POSIX shell, which runs that file and ends with its exit status.
  func running(file path: String) -> String {
    isScript ? "exec /bin/sh -e \(path)" : ". \(path)"
  }
}
