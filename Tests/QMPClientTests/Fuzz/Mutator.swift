/// A random number generator whose numbers follow from a seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Makes inputs out of what QEMU really sent, each a little or much broken.
struct Mutator {
  private let corpus: [[UInt8]]
  private var random: SeededGenerator

  /// - Parameters:
  ///   - corpus: Lines to begin with.
  ///   - seed: What all that is random follows from.
  init(corpus: [[UInt8]], seed: UInt64) {
    self.corpus = corpus
    random = SeededGenerator(seed: seed)
  }

  mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

  private mutating func line() -> [UInt8] { corpus[number(0..<corpus.count)] }

  /// The next input: a line, most often with its end.
  mutating func next() -> [UInt8] {
    var bytes = line()
    for _ in 0..<number(0..<4) { mutate(&bytes) }
    switch number(0..<16) {
    case 0: break
    case 1: bytes.append(0x0A)
    default: bytes += [0x0D, 0x0A]
    }
    return bytes
  }

  /// Cuts bytes into a few pieces.
  mutating func pieces(_ bytes: [UInt8]) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty, pieces.count < 3 {
      let piece = rest.prefix(number(1..<rest.count + 1))
      pieces.append(Array(piece))
      rest = rest.dropFirst(piece.count)
    }
    if !rest.isEmpty { pieces.append(Array(rest)) }
    return pieces
  }

  private mutating func mutate(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else {
      bytes = line()
      return
    }
    let place = number(0..<bytes.count)
    switch number(0..<10) {
    case 0: bytes[place] ^= 1 << UInt8(number(0..<8))
    case 1: bytes[place] = UInt8(number(0..<256))
    case 2: bytes.removeSubrange(place...)
    case 3: bytes.removeSubrange(..<place)
    case 4: bytes.remove(at: place)
    case 5: bytes.insert(contentsOf: Self.tokens[number(0..<Self.tokens.count)], at: place)
    case 6:
      let other = line()
      bytes = Array(bytes[..<place] + other[number(0..<other.count)...])
    case 7:
      let end = min(bytes.count, place + number(1..<64))
      bytes.insert(contentsOf: bytes[place..<end], at: number(0..<bytes.count))
    case 8:
      let open = number(0..<2) == 0 ? Array("[".utf8) : Array(#"{"a":"#.utf8)
      let nest = [[UInt8]](repeating: open, count: number(1..<700)).joined()
      bytes.insert(contentsOf: nest, at: place)
    default:
      bytes.insert(contentsOf: (0..<number(1..<9)).map { _ in UInt8(number(0..<256)) }, at: place)
    }
  }

  private static let tokens: [[UInt8]] = [
    "\n", "\r\n", "\"", "\\", "\\u", "\\ud83d", "\\ude80", "{", "}", "[", "]", ":", ",", "null",
    "true", "-", "1e308", "1e999", "18446744073709551616", "-9223372036854775808", "0.1", "\"id\"",
    #""id": 1"#, #""id": 2, "#, #""return": {}, "#, #""error": {}, "#, #""event": "X", "#,
    #""QMP": {}, "#, "\u{FEFF}", "é", "\0",
  ].map { Array($0.utf8) }
}
