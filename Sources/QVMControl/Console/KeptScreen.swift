/// The screen of a terminal that a guest shares with earlier output: qvm's remarks and the shell's
/// lines.
///
/// A guest treats the screen as its own, and its firmware begins with a full reset. The lines above
/// the guest's output are kept:
///
/// * A full reset (`ESC c`) restores the modes and clears the screen, under these rules.
/// * If the guest has written only lines so far, clearing the screen continues below them instead.
/// * If the guest then writes at a place of its own choice (`ESC [row;columnH`), the whole screen
///   is scrolled into the terminal's scrollback. The guest's lines are written again where the
///   guest expects them. Moving there and back without writing, as `resize` does, has no such
///   effect.
/// * From then on the screen is the guest's. If qvm has shown a remark meanwhile, or the guest
///   resets the terminal again, the screen is scrolled away before it is cleared.
/// * The alternate screen always belongs to the guest.
struct KeptScreen: ControlSink, Sendable {
  /// How much of the guest's lines can be written again, in bytes: more than a screenful.
  private static let mostAgain = 1 << 14
  static let toBottom = ControlSequence("[999;1H").bytes

  var output: [UInt8] = []
  var rows = 24
  var mostQuestions = 0
  private(set) var questions = 0
  private(set) var modes = TerminalModes()
  private(set) var isAtLineStart = true

  /// Whether the guest's first line may be below the first line of the screen.
  private var isBelow = true
  /// What the guest has written since its lines began, while `isBelow`.
  private var again: [UInt8] = []
  /// The sequences since the guest moved to a place of its own choice, before it writes there; nil
  /// while the cursor is at its lines.
  private var moves: [UInt8]?
  /// Whether the saved cursor is at the guest's lines.
  private var isSavedAmongLines = false
  /// The number of line ends since the guest's lines began or it chose a place; that number when it
  /// saved the cursor; and the number since the last output that isn't the guest's.
  private var (lines, savedLines, linesSinceRemark) = (0, 0, 0)
  /// Whether the guest has written at a place of its own choice, so that there may be lines below.
  private var hasChosenPlace = false
  /// Whether other output than the guest's may be on the screen since it became the guest's.
  private var hasRemark = false
  /// Whether the guest has moved the cursor to the first row and column.
  private var isHome = false

  // MARK: - Guest output

  mutating func text(_ bytes: ArraySlice<UInt8>) {
    draw()
    emit(bytes)
    isAtLineStart = false
  }

  mutating func invalid() { text([0xEF, 0xBF, 0xBD]) }

  mutating func control(_ byte: UInt8) {
    switch byte {
    case 0x07: output.append(byte)
    case 0x0A...0x0C:
      emit([byte])
      isHome = false
      isAtLineStart = true
      if modes.isAlternate { break }
      lines += 1
      linesSinceRemark += 1
      if linesSinceRemark >= rows { hasRemark = false }
      if lines >= rows { scrolled() }
    case 0x0D:
      emit([byte])
      isAtLineStart = true
    case 0x08, 0x09: emit([byte])
    case 0x0E, 0x0F:
      emit([byte])
      modes.setShift(byte == 0x0E ? [byte] : nil)
    default: break
    }
  }

  mutating func sequence(_ sequence: ControlSequence) {
    guard let kind = SequenceKind(sequence) else { return }
    switch kind {
    case .style:
      emit(sequence.bytes)
      modes.setStyle(sequence)
    case .erasing:
      draw()
      emit(sequence.bytes)
    case .erasingBelow where !isHome:
      draw()
      emit(sequence.bytes)
    case .erasingBelow, .clearing: clear(sequence)
    case .erasingAbove:
      // It affects lines that aren't the guest's, as moving there does.
      choosePlace()
      draw()
      emit(sequence.bytes)
    case .relative:
      isHome = false
      emit(sequence.bytes)
    case .upwards(let count):
      isHome = false
      // Above the guest's lines are other lines.
      if count > lines { choosePlace() } else { lines -= count }
      emit(sequence.bytes)
    case .place(let home):
      choosePlace()
      isHome = home
      emit(sequence.bytes)
    case .region:
      choosePlace()
      isHome = true
      modes.setRegion(sequence)
      emit(sequence.bytes)
    case .save:
      isSavedAmongLines = moves == nil && !hasChosenPlace
      savedLines = lines
      emit(sequence.bytes)
    case .restore:
      emit(sequence.bytes)
      isHome = false
      if isSavedAmongLines { (moves, hasChosenPlace, lines) = (nil, false, savedLines) }
    case .privateModes(let numbers, let isOn): setModes(numbers, isOn)
    case .insert(let isOn):
      emit(sequence.bytes)
      modes.setInserting(isOn)
    case .keypad(let isOn):
      emit(sequence.bytes)
      modes.setKeypad(isOn)
    case .characterSet:
      emit(sequence.bytes)
      modes.setCharacterSet(sequence)
    case .shift:
      emit(sequence.bytes)
      modes.setShift(sequence.bytes)
    case .cursorShape:
      emit(sequence.bytes)
      modes.setCursorShape(sequence)
    case .softReset:
      emit(sequence.bytes)
      modes.resetSoftly()
    case .fullReset: reset()
    case .question:
      guard questions < mostQuestions else { return }
      questions += 1
      output += sequence.bytes
    }
  }

  private mutating func setModes(_ numbers: [Int], _ isOn: Bool) {
    for mode in numbers where TerminalModes.allows(mode) {
      // Saves and restores the cursor; also a part of 1049.
      if mode == 1048 {
        sequence(ControlSequence(isOn ? "7" : "8"))
        continue
      }
      let wasAlternate = modes.isAlternate
      if mode == 6 { choosePlace() }
      modes.setPrivate(mode, isOn)
      let bytes = TerminalModes.privateMode(mode, isOn)
      // Switching the screen must not be repeated: that would move the cursor.
      if modes.isAlternate != wasAlternate { output += bytes } else { emit(bytes) }
    }
  }

  // MARK: - Keeping lines

  /// Writes bytes, and remembers them if they may have to be written again.
  private mutating func emit(_ bytes: some Collection<UInt8>) {
    output.append(contentsOf: bytes)
    guard isBelow, !modes.isAlternate else { return }
    if moves != nil {
      moves?.append(contentsOf: bytes)
      if moves?.count ?? 0 > Self.mostAgain { align() }
    } else if again.count + bytes.count <= Self.mostAgain {
      again.append(contentsOf: bytes)
    } else {
      scrolled()
    }
  }

  /// Notes that the guest's lines fill the screen, so that the guest's positions are right.
  private mutating func scrolled() {
    (isBelow, again, moves, hasChosenPlace) = (false, [], nil, false)
  }

  private mutating func choosePlace() {
    isHome = false
    if modes.isAlternate { return }
    lines = 0
    if isBelow, moves == nil { moves = [] }
    if !isBelow { hasChosenPlace = true }
  }

  /// Prepares for writing or erasing at the cursor.
  private mutating func draw() {
    isHome = false
    if isBelow, moves != nil, !modes.isAlternate { align() }
  }

  /// Scrolls away the lines that aren't the guest's, and writes the guest's lines again.
  private mutating func align(again isAgain: Bool = true) {
    output += ControlSequence("[m").bytes
    scrollAway()
    if isAgain { output += again }
    if let moves { output += moves }
    (isBelow, again, moves, hasChosenPlace) = (false, [], nil, true)
  }

  /// Scrolls the whole screen into the scrollback, and moves the cursor home.
  private mutating func scrollAway() {
    output += ControlSequence("[r").bytes + Self.toBottom
    output.append(contentsOf: repeatElement(0x0A, count: rows))
    output += ControlSequence("[H").bytes
    hasRemark = false
  }

  /// Clears the screen, or continues below its lines.
  private mutating func clear(_ sequence: ControlSequence) {
    if modes.isAlternate { return emit(sequence.bytes) }
    let wasHome = isHome
    defer { isHome = wasHome }
    if isBelow {
      if moves == nil { return beginBelow() }
      align(again: false)
    } else if hasRemark {
      output += ControlSequence("7").bytes
      scrollAway()
      output += (modes.region?.bytes ?? []) + ControlSequence("8").bytes
    }
    emit(sequence.bytes)
  }

  /// Starts the guest's lines again, below the present ones.
  private mutating func beginBelow() {
    if !isAtLineStart { output += [0x0D, 0x0A] }
    output += ControlSequence("[J").bytes
    isAtLineStart = true
    again = []
    lines = 0
  }

  private mutating func reset() {
    let goesOnBelow = isBelow && moves == nil
    output += modes.restoration
    modes = TerminalModes()
    if goesOnBelow {
      beginBelow()
    } else {
      scrollAway()
      (again, moves, lines, isAtLineStart) = ([], nil, 0, true)
      (isBelow, hasChosenPlace) = (false, false)
    }
    isHome = true
  }

  mutating func noteRemark() {
    isAtLineStart = true
    hasRemark = true
    isHome = false
    linesSinceRemark = 0
  }

  /// The bytes that restore all modes and move the cursor below the guest's output.
  var farewell: [UInt8] {
    let isAnywhere = hasChosenPlace || moves != nil || modes.movesCursor
    return modes.restoration + (isAnywhere ? Self.toBottom + [0x0D, 0x0A] : [])
  }
}
