/// Assigns the parts of `console.log` to the boots of an instance.
package struct ConsoleBoots: Sendable, Hashable {
  /// A boot and its start.
  struct Entry: Sendable, Hashable {
    /// The boot's number, counted from 1.
    let number: Int
    /// The offset in the log, in bytes. Negative if that many bytes of the boot were discarded.
    let start: Int
  }

  /// There is no such boot, or its output was discarded.
  package struct Missing: UserFacingError, Hashable {
    package let name: String
    package let boot: Int
    let kept: ClosedRange<Int>?

    package var message: String { "there is no output of boot \(boot) of '\(name)'" }
    package var advice: String? {
      guard let kept else { return "It has not been booted yet." }
      return
        "Choose a boot from \(kept.lowerBound) to \(kept.upperBound), or 0 for the last one."
    }
  }

  let name: String
  /// Oldest first.
  let entries: [Entry]

  /// Reads the boots of an instance.
  ///
  /// - Throws: ``JSONFileError``.
  package init(_ name: InstanceName, _ files: InstanceFiles) throws(JSONFileError) {
    self.init(name.text, try BootRecord.read(files.boot))
  }

  init(_ name: String, _ record: BootRecord?) {
    self.name = name
    entries =
      record.map { record in
        let first = record.number - record.earlier.count
        return (record.earlier + [record.consoleOffset]).enumerated().map {
          Entry(number: first + $0.offset, start: $0.element)
        }
      } ?? []
  }

  /// The range of a boot's part.
  ///
  /// - Parameter boot: Its number from 1; or counted back from the last boot, which is 0, then -1
  ///   and so on.
  /// - Returns: The start, which may be before the beginning of the log, and the end; nil for the
  ///   end of the log.
  /// - Throws: ``Missing``.
  package func part(of boot: Int) throws(Missing) -> (start: Int, end: Int?) {
    let number = boot > 0 ? boot : (entries.last?.number ?? 0) + boot
    guard let index = entries.firstIndex(where: { $0.number == number }) else {
      let kept = entries.first.flatMap { first in entries.last.map { first.number...$0.number } }
      throw Missing(name: name, boot: boot, kept: kept)
    }
    return (entries[index].start, index + 1 < entries.count ? entries[index + 1].start : nil)
  }
}
