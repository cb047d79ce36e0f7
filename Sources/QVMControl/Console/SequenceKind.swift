/// The kinds of control sequences that a live console passes.
///
/// The names are those of ECMA-48 and of "DEC" in xterm's ctlseqs.
enum SequenceKind: Hashable {
  /// SGR: how characters look.
  case style
  /// Erases, inserts, deletes or scrolls, or repeats a character.
  case erasing
  /// Erases from the cursor to the end of the screen.
  case erasingBelow
  /// Erases from the beginning of the screen to the cursor.
  case erasingAbove
  /// Erases all of the screen.
  case clearing
  /// Moves the cursor relative to its position, or sets and clears tab stops.
  case relative
  /// Moves the cursor up by this many rows.
  case upwards(Int)
  /// Moves the cursor to a row. `home`: whether that is the first row and column.
  case place(home: Bool)
  /// DECSTBM: chooses the rows that scroll; the cursor goes home.
  case region
  case save
  case restore
  case privateModes([Int], Bool)
  /// IRM.
  case insert(Bool)
  /// DECKPAM and DECKPNM.
  case keypad(Bool)
  /// SCS: chooses a character set.
  case characterSet
  /// LS2, LS3 and similar: shifts to another character set.
  case shift
  /// DECSCUSR.
  case cursorShape
  /// DECSTR.
  case softReset
  /// RIS.
  case fullReset
  /// DSR and DA: the terminal answers.
  case question

  /// Nil for a sequence that isn't passed.
  init?(_ sequence: ControlSequence) {
    guard sequence.isControl else {
      self.init(escape: sequence)
      return
    }
    guard let numbers = sequence.parameters else {
      // Colours may have sub-parameters.
      guard sequence.final == UInt8(ascii: "m"), sequence.prefix == nil,
        sequence.intermediates.isEmpty
      else { return nil }
      self = .style
      return
    }
    switch (sequence.prefix, sequence.intermediates) {
    case (nil, []): self.init(numbers, final: sequence.final)
    case (UInt8(ascii: "?"), []):
      switch sequence.final {
      case UInt8(ascii: "h"): self = .privateModes(numbers, true)
      case UInt8(ascii: "l"): self = .privateModes(numbers, false)
      default: return nil
      }
    case (UInt8(ascii: ">"), []):
      guard sequence.final == UInt8(ascii: "c"), numbers.allSatisfy({ $0 == 0 }) else {
        return nil
      }
      self = .question
    case (nil, [UInt8(ascii: "!")]):
      guard sequence.final == UInt8(ascii: "p") else { return nil }
      self = .softReset
    case (nil, [UInt8(ascii: " ")]):
      guard sequence.final == UInt8(ascii: "q") else { return nil }
      self = .cursorShape
    default: return nil
    }
  }

  private init?(_ numbers: [Int], final: UInt8) {
    let first = numbers.first ?? 0
    switch final {
    case UInt8(ascii: "m"): self = .style
    case UInt8(ascii: "J") where first == 0: self = .erasingBelow
    case UInt8(ascii: "J") where first == 1: self = .erasingAbove
    case UInt8(ascii: "J") where first == 2: self = .clearing
    case UInt8(ascii: "@"), UInt8(ascii: "K"), UInt8(ascii: "L"), UInt8(ascii: "M"),
      UInt8(ascii: "P"), UInt8(ascii: "S"), UInt8(ascii: "X"), UInt8(ascii: "b"):
      self = .erasing
    // With more parameters it requests mouse reports.
    case UInt8(ascii: "T") where numbers.count < 2: self = .erasing
    case UInt8(ascii: "A"), UInt8(ascii: "F"): self = .upwards(max(first, 1))
    case UInt8(ascii: "B"), UInt8(ascii: "C"), UInt8(ascii: "D"), UInt8(ascii: "E"),
      UInt8(ascii: "G"), UInt8(ascii: "I"), UInt8(ascii: "Z"), UInt8(ascii: "`"),
      UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "g"):
      self = .relative
    case UInt8(ascii: "H"), UInt8(ascii: "f"):
      self = .place(home: numbers.allSatisfy { $0 < 2 })
    case UInt8(ascii: "d"): self = .place(home: false)
    case UInt8(ascii: "r"): self = .region
    case UInt8(ascii: "s") where numbers.isEmpty: self = .save
    case UInt8(ascii: "u") where numbers.isEmpty: self = .restore
    case UInt8(ascii: "h") where numbers == [4]: self = .insert(true)
    case UInt8(ascii: "l") where numbers == [4]: self = .insert(false)
    case UInt8(ascii: "n") where numbers == [5] || numbers == [6]: self = .question
    case UInt8(ascii: "c") where numbers.allSatisfy({ $0 == 0 }): self = .question
    default: return nil
    }
  }

  private init?(escape: ControlSequence) {
    switch escape.intermediates {
    case []:
      switch escape.final {
      case UInt8(ascii: "7"): self = .save
      case UInt8(ascii: "8"): self = .restore
      case UInt8(ascii: "="): self = .keypad(true)
      case UInt8(ascii: ">"): self = .keypad(false)
      case UInt8(ascii: "M"): self = .upwards(1)
      case UInt8(ascii: "D"), UInt8(ascii: "E"), UInt8(ascii: "H"): self = .relative
      case UInt8(ascii: "N"), UInt8(ascii: "O"): self = .relative
      case UInt8(ascii: "n"), UInt8(ascii: "o"), UInt8(ascii: "|"), UInt8(ascii: "}"),
        UInt8(ascii: "~"):
        self = .shift
      case UInt8(ascii: "c"): self = .fullReset
      case UInt8(ascii: "Z"): self = .question
      default: return nil
      }
    case [UInt8(ascii: "(")], [UInt8(ascii: ")")], [UInt8(ascii: "*")], [UInt8(ascii: "+")]:
      self = .characterSet
    default: return nil
    }
  }
}
