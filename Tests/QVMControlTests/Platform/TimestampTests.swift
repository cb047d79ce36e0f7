import Foundation
import Testing

@testable import QVMControl

@Suite struct TimestampTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00Z"), (951_827_696, "2000-02-29T12:34:56Z"),
    (1_709_251_199, "2024-02-29T23:59:59Z"), (2_147_483_648, "2038-01-19T03:14:08Z"),
    (4_102_444_800, "2100-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
  ])
  func `a moment has one spelling, in UTC whatever the time zone`(seconds: Int, text: String) {
    #expect(Timestamp(seconds: seconds).description == text)
    #expect(Timestamp(text) == Timestamp(seconds: seconds))
  }

  @Test(arguments: [
    "", "now", "2026-11-23", "2026-11-23 05:30:44Z", "2026-11-23T05:30:44", "2026-11-23T05:30:44z",
    "2026-11-23T05:30:44+00:00", "2026-11-23T05:30:4xZ", "2026-1é-3T05:30:44Z",
  ])
  func `another spelling is not a timestamp`(text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test(arguments: [
    "2026/11/23T05:30:44Z", "2026-11-23T05.30.44Z", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
    "2026-11-23T24:00:61Z", "+026-11-23T05:30:44Z", "2026-11--3T05:30:44Z",
  ])
  func `an impossible date is not a timestamp`(text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test func `a day has the date that libc gives it`() {
    // From the year 1600 to 2400: all kinds of centuries, and each day of the year in some of them.
    for day in stride(from: -135_140, to: 157_055, by: 17) {
      let seconds = day * 86_400 + Int.random(in: 0..<86_400)
      var clock = time_t(seconds)
      var fields = tm()
      gmtime_r(&clock, &fields)
      let text = String(
        format: "%04d-%02d-%02dT%02d:%02d:%02dZ", fields.tm_year + 1900, fields.tm_mon + 1,
        fields.tm_mday, fields.tm_hour, fields.tm_min, fields.tm_sec)
      guard Timestamp(seconds: seconds).description == text, Timestamp(text)?.seconds == seconds
      else {
        Issue.record("\(seconds) s are \(text), not \(Timestamp(seconds: seconds))")
        return
      }
    }
  }

  @Test func `now is later than this was written, and moments are ordered`() {
    #expect(Timestamp.now > Timestamp(seconds: 1_700_000_000))
    #expect(Timestamp(seconds: 1) < Timestamp(seconds: 2))
  }

  @Test func `random bytes are as many as asked for, and differ`() {
    #expect(Randomness.bytes(0) == [])
    #expect(Randomness.hexadecimal(bytes: 8).wholeMatch(of: /[0-9a-f]{16}/) != nil)
    #expect(Set((0..<100).map { _ in Randomness.hexadecimal(bytes: 8) }).count == 100)
  }
}
