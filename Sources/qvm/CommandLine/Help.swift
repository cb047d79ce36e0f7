/// A part of the program's help: a title, and rows of two columns.
struct HelpSection: Sendable {
  let title: String
  let rows: [HelpRow]
}

/// A term and its explanation. Without an explanation, `term` is a line of its own.
struct HelpRow: Sendable {
  let term: String
  let text: String

  init(_ term: String, _ text: String = "") {
    self.term = term
    self.text = text
  }
}

extension Program {
  /// The output of `qvm --help`.
  var help: String {
    var page = HelpPage()
    page.add(paragraphs: "\(name) \(version): \(summary)")
    page.add(HelpSection(title: "Usage", rows: usage.map { HelpRow($0) }))
    page.add(
      HelpSection(title: "Commands", rows: commands.map { HelpRow($0.name, $0.summary) }))
    page.add(
      HelpSection(
        title: "Options",
        rows: [
          HelpRow("-h, --help", "Print this help, or the help of a command, and exit."),
          HelpRow("--version", "Print the version and exit."),
        ]))
    sections().forEach { page.add($0) }
    return page.text
  }

  /// The output of `qvm <command> --help`.
  func help(for command: any Command.Type) -> String {
    let rows = command.rows
    let words = rows.filter { $0.spellings.isEmpty }
    let options = rows.filter { !$0.spellings.isEmpty }

    var page = HelpPage()
    page.add(HelpSection(title: "Usage", rows: [HelpRow(usage(of: command))]))
    page.add(paragraphs: command.summary)
    if let discussion = command.discussion { page.add(paragraphs: discussion) }
    page.add(HelpSection(title: "Arguments", rows: words.map { HelpRow($0.term, $0.help) }))
    page.add(
      HelpSection(
        title: "Options",
        rows: options.map { HelpRow($0.term, $0.help) }
          + [HelpRow("-h, --help", "Print this help and exit.")]))
    if !command.aliases.isEmpty {
      page.add(HelpSection(title: "Also called", rows: command.aliases.map { HelpRow($0) }))
    }
    return page.text
  }

  /// One line, such as `qvm run [OPTIONS] <OS> <VERSION> [-- <COMMAND>...]`.
  func usage(of command: any Command.Type) -> String {
    let rows = command.rows
    let options = rows.contains { !$0.spellings.isEmpty } ? "[OPTIONS]" : nil
    let arguments = rows.filter { $0.spellings.isEmpty }.map(\.usage)
    return ([name, command.name, options] + arguments).compactMap(\.self).joined(separator: " ")
  }
}

extension ParameterRow {
  /// The row in a usage line. It is empty for options: `[OPTIONS]` stands for all of them.
  fileprivate var usage: String {
    switch kind {
    case .argument(.one): "<\(placeholder)>"
    case .argument(.optional): "[<\(placeholder)>]"
    case .argument(.oneOrMore): "<\(placeholder)>..."
    case .argument(.any): "[<\(placeholder)>...]"
    case .trailing: "[-- <\(placeholder)>...]"
    case .rest: "[--] [<\(placeholder)>...]"
    case .option, .flag: ""
    }
  }

  /// The row in the left column: `-d, --detach`, `--name <NAME>`, `<OS>`.
  fileprivate var term: String {
    switch kind {
    case .argument: "<\(placeholder)>"
    case .trailing: "-- <\(placeholder)>..."
    case .rest: "<\(placeholder)>..."
    case .option where valueIfNone != nil:
      "\(spellings.reversed().joined(separator: ", ")) [<\(placeholder)>]"
    case .option: "\(spellings.reversed().joined(separator: ", ")) <\(placeholder)>"
    case .flag: spellings.reversed().joined(separator: ", ")
    }
  }
}
