/// Orders versions by their numbers: 9.4 before 10.0, and `r1beta4` before `r1beta5`.
package enum VersionOrder {
  package static func precedes(_ one: String, _ other: String) -> Bool {
    let (left, right) = (parts(one), parts(other))
    for (a, b) in zip(left, right) where a != b {
      switch (Int(a), Int(b)) {
      case (let a?, let b?) where a != b: return a < b
      case (.some, nil): return false
      case (nil, .some): return true
      default: return a < b
      }
    }
    // `11.0-rc1` comes before `11.0`, and that before `11.0.1`.
    if left.count > right.count { return Int(left[right.count]) == nil }
    return left.count < right.count && Int(right[left.count]) != nil
  }

  /// Whether a version begins with all parts of another: 14.10 with 14, but not with 1.
  package static func begins(_ version: String, with prefix: String) -> Bool {
    parts(version).starts(with: parts(prefix))
  }

  /// Splits at dots, dashes and underscores, and between digits and other characters: `r1beta5` is
  /// `r 1 beta 5`.
  package static func parts(_ version: String) -> [Substring] {
    var parts: [Substring] = []
    for word in version.split(whereSeparator: { ".-_".contains($0) }) {
      var rest = word
      while let first = rest.first {
        let isDigit = first.isNumber
        let part = rest.prefix { $0.isNumber == isDigit }
        parts.append(part)
        rest = rest[part.endIndex...]
      }
    }
    return parts
  }
}
