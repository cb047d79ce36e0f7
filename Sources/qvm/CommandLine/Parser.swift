/// Parses the words after a command's name.
///
/// Options may come before, between and after the arguments, as `--name value` or `--name=value`. An
/// option takes the next word as its value, whatever that looks like, so that `--qemu-arg -device`
/// works. Exception: an option with an optional value takes the next word only if that is a number. If
/// an option is given twice, the last one counts. `--` ends the options. The value of a short option may be
/// attached if it begins with a digit, as in `-p8080:80`, and any value where a command line is also that of
/// ssh, as in `-lroot`.
struct Parser<Parsed: Command> {
  private let parameters = Parsed.parameters
  private var command = Parsed()
  private var words: ArraySlice<String>
  /// How many of the arguments are complete.
  private var filled = 0
  /// How many words the next argument has so far.
  private var taken = 0

  private init(_ words: ArraySlice<String>) {
    self.words = words
  }

  /// The command that `words` describe; nil if they ask for its help.
  static func parse(_ words: ArraySlice<String>) throws(UsageError) -> Parsed? {
    var parser = Parser(words)
    return try parser.parse()
  }

  private mutating func parse() throws(UsageError) -> Parsed? {
    while let word = words.popFirst() {
      switch word {
      case "--": try takeRest()
      case "--help", "-h": return nil
      case "-": try take(argument: word)
      case _ where word.utf8.first == UInt8(ascii: "-"): try take(option: word)
      default: try take(argument: word)
      }
    }
    if let missing = nextArgument, let count = missing.row.count, count.isRequired, taken == 0 {
      let placeholder = missing.row.placeholder
      throw .missingArgument(
        placeholder: placeholder, advice: command.advice(missing: placeholder))
    }
    return command
  }

  /// The first parameter whose row meets a condition.
  ///
  /// By index: the type of the command is known only at run time. For each iterator or list over it the
  /// runtime would first create a type, which takes longer than everything else here.
  private func first(_ isTheOne: (ParameterRow) -> Bool) -> Parameter<Parsed>? {
    for index in 0..<parameters.count where isTheOne(parameters[index].row) {
      return parameters[index]
    }
    return nil
  }

  private var nextArgument: Parameter<Parsed>? {
    var before = filled
    return first { row in
      guard row.count != nil else { return false }
      before -= 1
      return before < 0
    }
  }

  private var trailing: Parameter<Parsed>? { first { $0.takesRest } }

  private mutating func take(argument word: String) throws(UsageError) {
    guard let parameter = nextArgument, let count = parameter.row.count else {
      if let trailing, trailing.row.kind == .rest {
        if word.isEmpty, words.allSatisfy(\.isEmpty) {
          throw .emptyTrailing(placeholder: trailing.row.placeholder)
        }
        try trailing.store(&command, word)
        return try takeRest(of: trailing)
      }
      if let advice = command.advice(extra: word) {
        throw .misplacedArgument(word, advice: advice)
      }
      throw .extraArgument(word, takesTrailing: trailing != nil)
    }
    try parameter.store(&command, word)
    if count.repeats {
      taken += 1
    } else {
      filled += 1
    }
  }

  private mutating func take(option word: String) throws(UsageError) {
    let (spelling, attached) = OptionWord.split(word)
    guard let parameter = first({ $0.spellings.contains(spelling) }) else {
      if let flags = flags(in: word) {
        for flag in flags { try take(option: flag) }
        return
      }
      if let (parameter, value) = attachedValue(in: word) {
        return try parameter.store(&command, value)
      }
      throw unknown(spelling)
    }
    switch (parameter.row.kind, attached) {
    case (.option, let value?):
      try parameter.store(&command, value)
    case (.option, nil):
      if let none = parameter.row.valueIfNone, words.first.flatMap({ Int($0) }) == nil {
        return try parameter.store(&command, none)
      }
      guard let value = words.popFirst() else {
        throw .missingValue(option: spelling, placeholder: parameter.row.placeholder)
      }
      try parameter.store(&command, value)
    case (_, let value?):
      throw .unexpectedValue(option: spelling, value: value)
    case (_, nil):
      try parameter.store(&command, spelling)
    }
  }

  /// The flags that a word such as `-dq` stands for; nil if one of its letters is no flag.
  private func flags(in word: String) -> [String]? {
    guard word.utf8.count > 2, !word.utf8.starts(with: "--".utf8) else { return nil }
    let flags = word.dropFirst().map { "-\($0)" }
    let areFlags = flags.allSatisfy { flag in
      first { $0.kind == .flag && $0.spellings.contains(flag) } != nil
    }
    return areFlags ? flags : nil
  }

  /// The short option that a word such as `-lroot` begins with, and its value; nil if there is none.
  private func attachedValue(in word: String) -> (Parameter<Parsed>, value: String)? {
    guard word.utf8.count > 2, !word.utf8.starts(with: "--".utf8),
      trailing?.row.kind == .rest || word.dropFirst(2).first?.isNumber == true
    else { return nil }
    let option = String(word.prefix(2))
    let parameter = first { $0.kind == .option && $0.spellings.contains(option) }
    return parameter.map { ($0, String(word.dropFirst(2))) }
  }

  private func unknown(_ option: String) -> UsageError {
    if let instead = Counterparts.sentence(for: option, of: Parsed.name) {
      return .absentOption(option, instead: instead)
    }
    let known = Parsed.rows.flatMap(\.spellings) + ["--help"]
    let closest = Spelling.option(meantBy: option, in: known)
    let meansAll = option == "--all" || option == "-a"
    let takesNames = first { $0.count != nil && $0.placeholder == "NAME" } != nil
    if !meansAll, option.utf8.count > 2, !option.utf8.starts(with: "--".utf8),
      // Such as '-dit': the letter that is no flag decides; or '-p2222', with its value attached.
      let letter = option.dropFirst().map({ "-\($0)" }).first(where: { flag in
        first { $0.spellings.contains(flag) } == nil
      }), let instead = Counterparts.sentence(for: letter, of: Parsed.name)
    {
      return .absentOption(option, instead: instead)
    }
    return .unknownOption(
      option, closest: closest ?? (meansAll && takesNames ? UsageError.allNames : nil))
  }

  private mutating func takeRest() throws(UsageError) {
    // Such as from an empty variable. Without a command qvm would do something else.
    if let trailing, words.allSatisfy(\.isEmpty), trailing.row.kind != .rest || isComplete {
      throw .emptyTrailing(placeholder: trailing.row.placeholder)
    }
    if trailing == nil, filled + taken > 0, !words.isEmpty,
      let advice = command.advice(trailing: Array(words))
    {
      throw .takesNoCommand("qvm \(Parsed.name)", advice: advice)
    }
    guard let trailing else {
      while let word = words.popFirst() { try take(argument: word) }
      return
    }
    // As in 'ssh -- HOST COMMAND'.
    while trailing.row.kind == .rest, !isComplete, let word = words.popFirst() {
      try take(argument: word)
    }
    if !words.isEmpty, words.allSatisfy(\.isEmpty) {
      throw .emptyTrailing(placeholder: trailing.row.placeholder)
    }
    try takeRest(of: trailing)
  }

  private mutating func takeRest(of trailing: Parameter<Parsed>) throws(UsageError) {
    while let word = words.popFirst() { try trailing.store(&command, word) }
  }

  /// Whether every argument has its word.
  private var isComplete: Bool { nextArgument == nil }
}

/// A word that names an option.
enum OptionWord {
  /// Splits `--name=value`. Only a long option can have its value attached.
  static func split(_ word: String) -> (spelling: String, value: String?) {
    // By bytes: an equals sign before a combining accent is not a character of its own.
    guard word.utf8.starts(with: "--".utf8),
      let equals = word.utf8.firstIndex(of: UInt8(ascii: "="))
    else { return (word, nil) }
    return (String(word[..<equals]), String(word[word.utf8.index(after: equals)...]))
  }
}
