#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A moment of the wall clock, for people and files; never for time-outs.
package struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// Seconds since 1970 in UTC.
  package let seconds: Int

  package init(seconds: Int) { self.seconds = seconds }

  package static var now: Timestamp { Timestamp(seconds: time(nil)) }

  package static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.seconds < right.seconds
  }

  /// RFC 3339 in UTC, such as `2026-11-23T05:30:44Z`.
  package var description: String {
    var clock = time_t(seconds)
    var fields = tm()
    gmtime_r(&clock, &fields)
    func digits(_ value: Int32, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    return digits(fields.tm_year + 1900, 4) + "-" + digits(fields.tm_mon + 1, 2) + "-"
      + digits(fields.tm_mday, 2) + "T" + digits(fields.tm_hour, 2) + ":"
      + digits(fields.tm_min, 2) + ":" + digits(fields.tm_sec, 2) + "Z"
  }

  /// Reads what ``description`` writes; nil for anything else.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 20 else { return nil }
    func number(_ range: Range<Int>) -> Int32? {
      Int32(String(decoding: bytes[range], as: UTF8.self))
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
    else { return nil }
    var fields = tm()
    fields.tm_year = year - 1900
    fields.tm_mon = month - 1
    fields.tm_mday = day
    fields.tm_hour = hour
    fields.tm_min = minute
    fields.tm_sec = second
    seconds = timegm(&fields)
    // Whatever was odd about the text is not in what it was read as: then the two differ.
    if description != text { return nil }
  }
}

/// Bytes that nobody can guess.
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
