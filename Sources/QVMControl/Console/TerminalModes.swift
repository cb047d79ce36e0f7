/// What a guest has switched on a terminal, so that it can be switched back, and again.
///
/// Terminals are taken to be as they begin: long lines wrap, the cursor shows, all else is off.
struct TerminalModes: Sendable, Hashable {
  /// The private modes that a guest may switch, with whether they are on in the beginning; see
  /// "DECSET" in xterm's ctlseqs.
  ///
  /// Left out are those that change the width (3), and those by which a terminal reports what nobody
  /// did (its size, its colours).
  private static let privateModes: [Int: Bool] = [
    // Cursor keys, reverse screen, origin, wrapping, repeated keys, mouse, cursor, keypad.
    1: false, 5: false, 6: false, 7: true, 8: true, 9: false, 25: true, 66: false,
    47: false, 1047: false, 1048: false, 1049: false,
    // Mouse, focus, and how both are reported.
    1000: false, 1001: false, 1002: false, 1003: false, 1004: false, 1005: false, 1006: false,
    1007: false, 1015: false, 1016: false,
    // Bracketed paste, output that appears at once.
    2004: false, 2026: false,
  ]
  private static let alternateModes = [47, 1047, 1049]

  /// The private modes that are not as in the beginning, in the order in which they became so.
  private(set) var switched: [Int] = []
  private var isInserting = false
  private var hasKeypad = false
  private var isStyled = false
  /// The character sets that were chosen, by the byte that says for which of G0 to G3.
  private var characterSets: [UInt8: ControlSequence] = [:]
  /// The control character or sequence by which the character set was shifted; nil for G0.
  private var shift: [UInt8]?
  private(set) var region: ControlSequence?
  private var cursorShape: ControlSequence?

  /// Whether the alternate screen is shown.
  var isAlternate: Bool { switched.contains(where: Self.alternateModes.contains) }

  /// Whether long lines are cut at the margin.
  var cutsLines: Bool { switched.contains(7) }

  /// Whether a mode, such as 25, is one that a guest may switch.
  static func allows(_ mode: Int) -> Bool { privateModes[mode] != nil }

  mutating func setPrivate(_ mode: Int, _ isOn: Bool) {
    guard let beginning = Self.privateModes[mode] else { return }
    // There is one alternate screen, whichever mode shows it.
    let isOneOfMany = Self.alternateModes.contains(mode)
    switched.removeAll { $0 == mode || isOneOfMany && Self.alternateModes.contains($0) }
    if isOn != beginning { switched.append(mode) }
  }

  mutating func setInserting(_ isOn: Bool) { isInserting = isOn }
  mutating func setKeypad(_ isOn: Bool) { hasKeypad = isOn }
  mutating func setShift(_ bytes: [UInt8]?) { shift = bytes }
  mutating func setCursorShape(_ sequence: ControlSequence) { cursorShape = sequence }

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

  /// What DECSTR, the soft reset, switches back.
  mutating func resetSoftly() {
    for mode in [1, 6, 7, 25, 66] { setPrivate(mode, Self.privateModes[mode] ?? false) }
    (isInserting, hasKeypad, isStyled, region, shift) = (false, false, false, nil, nil)
    characterSets = [:]
  }

  /// Whether the cursor goes to the first line when all is switched back.
  var movesCursor: Bool { region != nil || switched.contains(6) }

  /// Switches everything back; empty where nothing was switched.
  var restoration: [UInt8] {
    var bytes: [UInt8] = []
    // First of all: with the cursor it brings back how characters look.
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

  /// Switches everything as the guest has it, on a terminal that is as in the beginning. What the
  /// characters look like is the next text's.
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
