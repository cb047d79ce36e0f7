/// A time in whole seconds, as an option's value: `90`, `90s`, `5m` or `1h`.
struct Seconds: ParameterValue {
  let count: Int

  init?(word: String) {
    let units = ["s": 1, "m": 60, "h": 3600]
    let unit = word.last.flatMap { units[String($0)] }
    guard let number = Int(unit == nil ? word : String(word.dropLast())) else { return nil }
    let (count, overflows) = number.multipliedReportingOverflow(by: unit ?? 1)
    if overflows { return nil }
    self.count = count
  }

  static let expectation = "a whole number of seconds, or one with a unit such as 90s, 5m or 1h"
}
