/// The modes that a guest has set on a terminal, so that they can be restored, and set again.
///
/// Assumes a terminal's initial state: long lines wrap, the cursor is visible, all else is off.
struct TerminalModes: Sendable, Hashable {
  /// The private modes that a guest may set, and whether they are initially on; see "DECSET" in
  /// xterm's ctlseqs.
  ///
  /// Not allowed are the mode that changes the width (3), and those that make a terminal report
  /// something unasked (its size, its colours).
  private static let privateModes: [Int: Bool] = [
    // Cursor keys, reverse screen, origin, wrapping, repeated keys, mouse, cursor, keypad.
    1: false, 5: false, 6: false, 7: true, 8: true, 9: false, 25: true, 66: false,
    47: false, 1047: false, 1048: false, 1049: false,
    // Mouse, focus, and the formats of their reports.
    1000: false, 1001: false, 1002: false, 1003: false, 1004: false, 1005: false, 1006: false,
    1007: false, 1015: false, 1016: false,
    // Bracketed paste, synchronized output.
    2004: false, 2026: false,
  ]
  private static let alternateModes = [47, 1047, 1049]

  /// The private modes that differ from the initial state, in the order in which they were set.
  private(set) var switched: [Int] = []
  private var isInserting = false
  private var hasKeypad = false
  private var isStyled = false
  /// The chosen character sets, by the byte that selects one of G0 to G3.
  private var characterSets: [UInt8: ControlSequence] = [:]
  /// The control character or sequence that shifted the character set; nil for G0.
  private var shift: [UInt8]?
  private(set) var region: ControlSequence?
  private var cursorShape: ControlSequence?

  /// Whether the alternate screen is on.
  var isAlternate: Bool { switched.contains(where: Self.alternateModes.contains) }

  /// Whether long lines don't wrap.
  var cutsLines: Bool { switched.contains(7) }

  /// Whether a guest may set a mode, such as 25.
  static func allows(_ mode: Int) -> Bool { privateModes[mode] != nil }

  mutating func setPrivate(_ mode: Int, _ isOn: Bool) {
    guard let beginning = Self.privateModes[mode] else { return }
    // All these modes show the same alternate screen.
    let isOneOfMany = Self.alternateModes.contains(mode)
    switched.removeAll { $0 == mode || isOneOfMany && Self.alternateModes.contains($0) }
    if isOn != beginning { switched.append(mode) }
  }

  mutating func setInserting(_ isOn: Bool) { isInserting = isOn }
  mutating func setKeypad(_ isOn: Bool) { hasKeypad = isOn }
  mutating func setShift(_ bytes: [UInt8]?) { shift = bytes }

  mutating func setCursorShape(_ sequence: ControlSequence) {
    let isDefault = sequence.parameters?.allSatisfy { $0 == 0 } == true
    cursorShape = isDefault ? nil : sequence
  }

  mutating func setStyle(_ sequence: ControlSequence) {
    isStyled = sequence.parameters?.allSatisfy { $0 == 0 } != true
  }

  mutating func setRegion(_ sequence: ControlSequence) {
    region = sequence.parameters?.isEmpty == true ? nil : sequence
  }

  mutating func setCharacterSet(_ sequence: ControlSequence) {
    let isASCII = sequence.final == UInt8(ascii: "B")
    characterSets[sequence.bytes[1]] = isASCII ? nil : sequence
  }

  /// Applies a soft reset, DECSTR.
  mutating func resetSoftly() {
    for mode in [1, 6, 7, 25, 66] { setPrivate(mode, Self.privateModes[mode] ?? false) }
    (isInserting, hasKeypad, isStyled, region, shift) = (false, false, false, nil, nil)
    characterSets = [:]
  }

  /// Whether restoring moves the cursor to the first line.
  var movesCursor: Bool { region != nil || switched.contains(6) }

  /// The bytes that restore all modes; empty if nothing was changed.
  var restoration: [UInt8] {
    var bytes: [UInt8] = []
    // First, because leaving the alternate screen restores the style along with the cursor.
    for mode in switched.reversed() where Self.alternateModes.contains(mode) {
      bytes += Self.privateMode(mode, false)
    }
    for mode in switched.reversed() where !Self.alternateModes.contains(mode) {
      bytes += Self.privateMode(mode, Self.privateModes[mode] ?? false)
    }
    if isInserting { bytes += ControlSequence("[4l").bytes }
    if hasKeypad { bytes += ControlSequence(">").bytes }
    if region != nil { bytes += ControlSequence("[r").bytes }
    if shift != nil { bytes.append(0x0F) }
    for set in characterSets.keys.sorted() {
      bytes += [0x1B, set, UInt8(ascii: "B")]
    }
    if isStyled { bytes += ControlSequence("[m").bytes }
    if cursorShape != nil { bytes += ControlSequence("[0 q").bytes }
    return bytes
  }

  /// The bytes that set the guest's modes on a terminal in its initial state. The style is left to
  /// the guest's next output.
  var application: [UInt8] {
    var bytes: [UInt8] = []
    for mode in switched { bytes += Self.privateMode(mode, !(Self.privateModes[mode] ?? false)) }
    if isInserting { bytes += ControlSequence("[4h").bytes }
    if hasKeypad { bytes += ControlSequence("=").bytes }
    if let region { bytes += region.bytes }
    for (_, set) in characterSets.sorted(by: { $0.key < $1.key }) { bytes += set.bytes }
    if let shift { bytes += shift }
    if let cursorShape { bytes += cursorShape.bytes }
    return bytes
  }

  static func privateMode(_ mode: Int, _ isOn: Bool) -> [UInt8] {
    ControlSequence("[?\(mode)\(isOn ? "h" : "l")").bytes
  }
}
