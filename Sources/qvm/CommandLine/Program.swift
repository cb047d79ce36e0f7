/// The program as the user sees it: its commands and the rest of its help.
struct Program: Sendable {
  /// The program's name, `qvm`.
  let name: String
  let version: String
  /// A sentence about the purpose of the program.
  let summary: String
  /// Lines for the head of the help: `qvm run [OPTIONS] <OS> <VERSION>`.
  let usage: [String]
  /// In the order of the help's list.
  let commands: [any Command.Type]
  /// The sections of the help after commands and options: environment, exit statuses, examples.
  let sections: @Sendable () -> [HelpSection]
  /// The names of the instances, for completion.
  let instanceNames: @Sendable () -> [String]
  /// The command line that replaces a command of other programs; nil if there is none.
  var meant: @Sendable (_ word: String) -> String? = { _ in nil }
  /// What to do in place of a command of other programs that has no such command line; nil if the word is
  /// no such command.
  var instead: @Sendable (_ word: String) -> String? = { _ in nil }

  /// Parses the words after the program's name. It does nothing else, except that a completion may use
  /// `instanceNames`.
  func parse(_ words: [String]) -> Invocation {
    guard let first = words.first else { return .print(help) }
    switch first {
    case "--help", "-h": return .print(help)
    case "--version", "version": return .print("\(version)\n")
    case "__complete": return .complete(complete(words.dropFirst()))
    case "help": return explain(words.dropFirst())
    case _ where first.utf8.first == UInt8(ascii: "-"):
      let (option, _) = OptionWord.split(first)
      if let command = owner(of: option, in: words.dropFirst()) {
        return .misuse(
          .optionBeforeCommand(option, command: spelled(command)), guidance(for: command))
      }
      let isVersion = option == "-v" || option == "-V"
      let closest =
        isVersion ? "--version" : Spelling.closest(to: option, in: ["--help", "--version"])
      return .misuse(.unknownOption(option, closest: closest), .program(help: help))
    default: break
    }
    var rest = words[...]
    guard let command = takeCommand(from: &rest) else { return misnamed(rest) }
    return read(command, rest)
  }

  /// The command among the words after an option of its own: `--memory 1G run`.
  private func owner(of option: String, in words: ArraySlice<String>) -> (any Command.Type)? {
    // The first word may be the option's value.
    for word in words.prefix(2) {
      if let command = command(word),
        command.rows.contains(where: { $0.spellings.contains(option) })
      {
        return command
      }
    }
    return nil
  }

  /// The command that the words begin with, the longest name first. Removes its words.
  func takeCommand(from words: inout ArraySlice<String>) -> (any Command.Type)? {
    guard let first = words.first else { return nil }
    if let second = words.dropFirst().first, let command = command("\(first) \(second)") {
      words.removeFirst(2)
      return command
    }
    guard let command = command(first) else { return nil }
    words.removeFirst()
    return command
  }

  private func command(_ name: String) -> (any Command.Type)? {
    for command in commands where command.name == name || command.aliases.contains(name) {
      return command
    }
    return nil
  }

  /// The two-word commands whose first word is `word`.
  func commands(in word: String) -> [any Command.Type] {
    commands.filter { $0.name.utf8.starts(with: "\(word) ".utf8) }
  }

  private func read<C: Command>(_ command: C.Type, _ words: ArraySlice<String>) -> Invocation {
    do throws(UsageError) {
      guard let parsed = try Parser<C>.parse(words) else { return .print(help(for: command)) }
      return .run(parsed)
    } catch {
      return .misuse(error, guidance(for: command))
    }
  }

  /// What is printed with a usage error of a command.
  func guidance(for command: any Command.Type) -> UsageGuidance {
    .command(usage: usage(of: command), help: "\(name) \(command.name) --help")
  }

  /// `qvm help`, `qvm help run`.
  private func explain(_ words: ArraySlice<String>) -> Invocation {
    if words.isEmpty { return .print(help) }
    var rest = words
    guard let command = takeCommand(from: &rest) else { return misnamed(words) }
    return .print(help(for: command))
  }

  /// The answer to words that do not begin with a command's name.
  private func misnamed(_ words: ArraySlice<String>) -> Invocation {
    let first = words.first ?? ""
    let group = commands(in: first)
    let second = words.dropFirst().first
    if !group.isEmpty {
      if second == "--help" || second == "-h" {
        return .print(group.count == 1 ? help(for: group[0]) : help)
      }
      guard let second, second.utf8.first != UInt8(ascii: "-") else {
        return .misuse(
          .incompleteCommand(first, commands: group.map(spelled)), .program(help: help))
      }
    }
    let typed = group.isEmpty ? first : words.prefix(2).joined(separator: " ")
    if meant(first) == nil, let sentence = instead(first) {
      return .misuse(.absentCommand(typed, instead: sentence), .program(help: help))
    }
    return .misuse(.unknownCommand(typed, closest: closest(to: typed)), .program(help: help))
  }

  /// The command that `typed` was meant to be, or one whose first word is similar.
  private func closest(to typed: String) -> String? {
    if let meant = meant(typed) { return meant }
    let names = commands.flatMap { [$0.name] + $0.aliases }
    if let name = Spelling.closest(to: typed, in: names) { return "\(self.name) \(name)" }
    let first = { (name: String) in String(name.prefix { $0 != " " }) }
    let word = Spelling.closest(to: first(typed), in: commands.map { first($0.name) })
    return commands.first { first($0.name) == word }.map(spelled)
  }

  private func spelled(_ command: any Command.Type) -> String { "\(name) \(command.name)" }
}

/// The request of a command line.
enum Invocation {
  case run(any Command)
  /// Help or the version, for standard output; exit status 0.
  case print(String)
  /// For standard error, with exit status 64.
  case misuse(UsageError, UsageGuidance)
  /// The completions of the last word.
  case complete(Completion)
}

/// What is printed with a usage error.
enum UsageGuidance: Equatable {
  /// The usage line of the command, and the command line that prints its help.
  case command(usage: String, help: String)
  /// The whole help of the program, because no known command was named.
  case program(help: String)
}
