/// Why some bytes are not JSON, and where.
public struct JSONError: Error, Sendable, Hashable {
  /// What was wrong at the offset.
  public enum Reason: Sendable, Hashable {
    case unexpectedEnd
    case unexpectedByte(UInt8)
    case badNumber
    case badEscape
    case tooDeep
    case trailingBytes
  }

  /// What was wrong.
  public let reason: Reason
  /// The offset of the offending byte, from 0.
  public let offset: Int
}
