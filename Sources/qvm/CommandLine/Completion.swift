import QVMControl

/// The offers for the word at the cursor.
struct Completion: Equatable {
  struct Offer: Equatable {
    let word: String
    /// The explanation that the shell may show beside the word; may be empty.
    let text: String

    init(_ word: String, _ text: String = "") {
      self.word = word
      self.text = text
    }
  }

  var offers: [Offer] = []
  /// Whether the shell should offer file names, which it finds itself.
  var wantsFiles = false

  /// One offer per line, with its explanation behind a tab.
  var text: String {
    // A name with a control character cannot be typed.
    offers.filter { $0.word == ForeignText.line($0.word) }
      .map { $0.text.isEmpty ? "\($0.word)\n" : "\($0.word)\t\($0.text)\n" }.joined()
  }
}

extension Program {
  /// The completions of the last of `words`, which is the one at the cursor and may be empty.
  func complete(_ words: ArraySlice<String>) -> Completion {
    var words = Self.rejoined(words)[...]
    let current = words.popLast() ?? ""
    var completion = completion(after: words, current)
    completion.offers.removeAll { !$0.word.utf8.starts(with: current.utf8) }
    return completion
  }

  private func completion(after words: ArraySlice<String>, _ current: String) -> Completion {
    var rest = words
    if let command = takeCommand(from: &rest) {
      return CommandCompletion(rows: command.rows, instanceNames: instanceNames)
        .completion(after: rest, current)
    }
    if let first = words.first {
      guard words.count == 1 else { return Completion() }
      return Completion(
        offers: commands(in: first).map { command in
          Completion.Offer(String(command.name.dropFirst(first.count + 1)), command.summary)
        })
    }
    if current.utf8.first == UInt8(ascii: "-") {
      return Completion(offers: [
        .init("--help", "Print help and exit."), .init("--version", "Print the version and exit."),
      ])
    }
    return Completion(offers: commandWords())
  }

  /// The first words of all commands, each once.
  private func commandWords() -> [Completion.Offer] {
    var offers: [Completion.Offer] = []
    for command in commands {
      let word = String(command.name.prefix { $0 != " " })
      if !offers.contains(where: { $0.word == word }) {
        offers.append(.init(word, command.summary))
      }
    }
    return offers
  }

  /// Joins the words that bash splits: it passes `--accel=kvm:tcg` as `--accel`, `=`, `kvm`, `:`, `tcg`,
  /// and replaces only the last of them. The value of an option stays a word of its own.
  private static func rejoined(_ words: ArraySlice<String>) -> [String] {
    var joined: [String] = []
    var glue = false
    for (index, word) in words.enumerated() {
      if word == "=", joined.last?.utf8.starts(with: "--".utf8) == true {
        if index == words.count - 1 { joined.append("") }
      } else if glue || (word == ":" && !joined.isEmpty) {
        joined[joined.endIndex - 1] += word
      } else {
        joined.append(word)
      }
      glue = word == ":"
    }
    return joined
  }
}

/// Completes the words after a command's name.
private struct CommandCompletion {
  let rows: [ParameterRow]
  let instanceNames: () -> [String]

  func completion(after words: ArraySlice<String>, _ current: String) -> Completion {
    var words = words
    var arguments: [String] = []
    var optionsEnded = false
    while let word = words.popFirst() {
      if optionsEnded || word.utf8.first != UInt8(ascii: "-") || word == "-" {
        arguments.append(word)
      } else if word == "--" {
        if rows.contains(where: \.takesRest) { return Completion() }
        optionsEnded = true
      } else if let row = option(word), row.kind == .option {
        if row.valueIfNone != nil, words.first.flatMap({ Int($0) }) == nil { continue }
        if words.popFirst() == nil { return offer(row.candidates, current) }
      }
    }
    if optionsEnded || current.utf8.first != UInt8(ascii: "-") {
      return argument(after: arguments, current)
    }
    let (spelling, value) = OptionWord.split(current)
    if let value {
      return option(spelling).map { offer($0.candidates, value, prefix: "\(spelling)=") }
        ?? Completion()
    }
    return Completion(offers: options)
  }

  /// The option that `word` names, if its value is not attached.
  private func option(_ word: String) -> ParameterRow? {
    rows.first { $0.spellings.contains(word) }
  }

  private var options: [Completion.Offer] {
    let named = rows.flatMap { row in row.spellings.map { Completion.Offer($0, row.help) } }
    return named + [.init("--help", "Print the command's help and exit.")]
  }

  private func argument(after before: [String], _ current: String) -> Completion {
    let arguments = rows.filter { $0.count != nil }
    let last = arguments.last.flatMap { $0.count?.repeats == true ? $0 : nil }
    let row = before.count < arguments.count ? arguments[before.count] : last
    return row.map { offer($0.candidates, current, after: before) } ?? Completion()
  }

  private func offer(
    _ candidates: CompletionSource, _ current: String, after before: [String] = [],
    prefix: String = ""
  ) -> Completion {
    let words: [String]
    switch candidates {
    case .none: return Completion()
    case .files: return Completion(wantsFiles: true)
    case .instances: words = instanceNames()
    case .words(let all): words = all()
    case .typed(let all): words = all(current, before)
    }
    return Completion(offers: words.map { .init(prefix + $0) })
  }
}
