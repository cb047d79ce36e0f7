/// The results of a matrix as JUnit XML, which CI systems show.
///
/// A command that failed is a `failure`, a guest that could not run it an `error`. Characters that XML
/// can't hold become U+FFFD.
package enum JUnitReport {
  package static func text(_ results: [MatrixResult], seconds: Double, began: Timestamp) -> String {
    let failures = results.count { $0.verdict == .failed }
    let skipped = results.count { $0.verdict == .skipped }
    let errors = results.count { ![.passed, .failed, .skipped].contains($0.verdict) }
    let counts =
      #"tests="\#(results.count)" failures="\#(failures)" errors="\#(errors)" skipped="\#(skipped)""#
      + #" time="\#(seconds.rounded(toPlaces: 3))""#
    let stamp = began.description.prefix { $0 != "Z" }
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites \(counts)>
        <testsuite name="qvm matrix" timestamp="\(stamp)" \(counts)>
      \(results.map(testCase).joined())  </testsuite>
      </testsuites>

      """
  }

  private static func testCase(_ result: MatrixResult) -> String {
    var body = ""
    let message = result.exit.map { "exit status \($0)" } ?? result.verdict.rawValue
    let detail = escaped(result.detail)
    switch result.verdict {
    case .passed: break
    case .skipped: body += "      <skipped/>\n"
    case .failed:
      body += "      <failure type=\"failed\" message=\"\(escaped(message))\">\(detail)</failure>\n"
    case .noBoot, .notReady, .lost, .error, .interrupted:
      body +=
        "      <error type=\"\(result.verdict.rawValue)\" message=\"\(escaped(message))\">\(detail)</error>\n"
    }
    if !result.tail.isEmpty {
      let output = escaped(String(decoding: result.tail, as: UTF8.self))
      body += "      <system-out>\(output)</system-out>\n"
    }
    let time = (result.commandSeconds ?? 0).rounded(toPlaces: 3)
    return
      "    <testcase classname=\"qvm.matrix\" name=\"\(escaped(result.target.label))\" time=\"\(time)\">\n"
      + body + "    </testcase>\n"
  }

  static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
      case "\n", "\t": result.append(scalar)
      case "\r": result.append(contentsOf: "&#13;".unicodeScalars)
      // Production 2 of XML 1.0.
      case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
        result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}
