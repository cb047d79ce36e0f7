#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

/// A time of the wall clock, for people and files. Never for timeouts.
package struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// Seconds since 1970 in UTC.
  package let seconds: Int

  package init(seconds: Int) { self.seconds = seconds }

  package static var now: Timestamp { Timestamp(seconds: time(nil)) }

  package static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.seconds < right.seconds
  }

  /// The date alone, in UTC.
  package var day: String { String(description.prefix(10)) }

  /// RFC 3339 in UTC, such as `2026-11-23T05:30:44Z`.
  package var description: String {
    let (days, second) = seconds.dividedFlooring(by: 86_400)
    let (year, month, day) = Self.date(ofDay: days)
    func digits(_ value: Int, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
    return digits(year, 4) + "-" + digits(month, 2) + "-" + digits(day, 2) + "T"
      + digits(second / 3600, 2) + ":" + digits(second / 60 % 60, 2) + ":" + digits(second % 60, 2)
      + "Z"
  }

  /// Reads what ``description`` writes; nil for anything else.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 20 else { return nil }
    func number(_ range: Range<Int>) -> Int? {
      Int(String(decoding: bytes[range], as: UTF8.self))
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
    else { return nil }
    seconds = ((Self.day(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    // A malformed or impossible date is written differently than it was read.
    if description != text { return nil }
  }

  // MARK: - The calendar

  // Not by libc, which reads the time zone's file even for UTC: seven system calls, in a command
  // that has a millisecond. Years begin in March, so that the leap day is the last day.

  /// The days from 1970 to a date of the Gregorian calendar.
  private static func day(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let (years, months) = (month < 3 ? year - 1 : year, (month + 9) % 12)
    let leapDays = [(4, 1), (100, -1), (400, 1)].reduce(0) { days, rule in
      days + years.dividedFlooring(by: rule.0).quotient * rule.1
    }
    return years * 365 + leapDays + (months * 153 + 2) / 5 + day - 1 - daysTo1970
  }

  /// The date of a day, counted in days from 1970.
  private static func date(ofDay number: Int) -> (year: Int, month: Int, day: Int) {
    // 146,097 days are 400 years.
    let (era, day) = (number + daysTo1970).dividedFlooring(by: 146_097)
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
    let rest = day - (year * 365 + year / 4 - year / 100)
    let months = (rest * 5 + 2) / 153
    let month = months < 10 ? months + 3 : months - 9
    return (era * 400 + year + (month < 3 ? 1 : 0), month, rest - (months * 153 + 2) / 5 + 1)
  }

  /// The days from the first of March of the year 0 to 1970.
  private static let daysTo1970 = 719_468
}

extension Int {
  /// The quotient rounded towards minus infinity, and the remainder.
  fileprivate func dividedFlooring(by divisor: Int) -> (quotient: Int, remainder: Int) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
