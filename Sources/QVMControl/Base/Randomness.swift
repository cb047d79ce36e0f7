/// Random bytes that cannot be guessed.
package enum Randomness {
  package static func bytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }

  /// Twice as many hexadecimal digits as bytes.
  package static func hexadecimal(bytes count: Int) -> String {
    bytes(count).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
