/// Which part of `console.log` belongs to which boot of an instance.
package struct ConsoleBoots: Sendable, Hashable {
  /// A boot, and where it begins.
  struct Entry: Sendable, Hashable {
    /// Counted from the instance's first, which is 1.
    let number: Int
    /// In the log, in bytes; less than 0 where so many bytes of it are not kept any more.
    let start: Int
  }

  /// There is no such boot, or nothing of it is left.
  package struct Missing: UserFacingError, Hashable {
    package let name: String
    package let boot: Int
    let kept: ClosedRange<Int>?

    package var message: String { "nothing is kept of the boot \(boot) of '\(name)'" }
    package var advice: String? {
      guard let kept else { return "It has not been booted yet." }
      return
        "There is something of \(kept.lowerBound) to \(kept.upperBound), the last of which is 0, too."
    }
  }

  let name: String
  /// The oldest first.
  let entries: [Entry]

  /// Those of an instance.
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

  /// Where a boot's part begins and ends.
  ///
  /// - Parameter boot: Its number, counted from 1, or from the last, which is 0, to -1 and further back.
  /// - Returns: The beginning, which may be before the log's own, and the end; nil for the log's own.
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
