/// What a copy has done.
package struct CopyReport: Sendable {
  /// Files, links and further names of files.
  package internal(set) var files = 0
  package internal(set) var folders = 0
  /// The contents of the files.
  package internal(set) var bytes = 0
  /// What isn't in the copy as it was.
  package internal(set) var losses: [String] = []
  /// What the user must know, although all is there.
  package internal(set) var warnings: [String] = []
  /// What the user should know besides.
  package internal(set) var notes: [String] = []

  /// Whether everything was copied.
  package var isComplete: Bool { losses.isEmpty }

  /// The lines for the user, at most some of each kind; if `isQuiet`, only what is wrong.
  package func lines(isQuiet: Bool = false) -> [String] {
    (isQuiet ? [] : Self.shortened(notes)) + Self.shortened(warnings) + Self.shortened(losses)
  }

  private static let mostLines = 10

  static func shortened(_ lines: [String]) -> [String] {
    lines.count <= mostLines
      ? lines : Array(lines.prefix(mostLines - 1)) + ["and \(lines.count - mostLines + 1) more"]
  }

  mutating func add(_ remarks: [ArchiveRemark]) {
    for remark in remarks {
      // Of a pipe or a device in the guest there is no copy either.
      if case .unsupported(UInt8(ascii: "3")...UInt8(ascii: "6")) = remark.problem {
        notes.append(ArchiveRemark(remark.name, .special).text)
      } else if remark.isLoss {
        losses.append(remark.text)
      } else {
        notes.append(remark.text)
      }
    }
  }

  mutating func add(_ other: CopyReport) {
    files += other.files
    folders += other.folders
    bytes += other.bytes
    losses += other.losses
    notes += other.notes
    warnings += other.warnings
  }
}
