import Foundation
import QMPClient
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@testable import QVMControl

@Suite struct JUnitReportTests {
  private final class Counter: NSObject, XMLParserDelegate {
    var elements: [String: Int] = [:]
    var text = ""
    var message: String?

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      elements[name, default: 0] += 1
      if name == "failure" { message = attributes["message"] }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
  }

  private func result(_ version: String, _ verdict: MatrixResult.Verdict) throws -> MatrixResult {
    let target = try Target(
      operatingSystem: "freebsd", version: version, platform: "x86-64", host: .x86_64)
    var result = MatrixResult(
      MatrixTarget(target, name: try InstanceName("x-\(version)"), words: []))
    result.verdict = verdict
    return result
  }

  @Test func `it is well-formed whatever a guest has written`() throws {
    var failed = try result("14.2", .failed)
    failed.exit = 3
    failed.tail = Array("a <b> & \"c\" ]]> \u{1B}[31m \u{FFFE}\n".utf8) + [0xFF, 0x00]
    failed.detail = "<&>"
    let results = [
      failed, try result("14.1", .passed), try result("14.0", .notReady),
      try result("13.5", .skipped),
    ]
    let text = JUnitReport.text(results, seconds: 12.3456, began: Timestamp(seconds: 0))
    let counter = Counter()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = counter
    #expect(parser.parse(), "\(String(describing: parser.parserError)): \(text)")
    #expect(counter.elements["testcase"] == 4)
    #expect(counter.elements["failure"] == 1 && counter.elements["error"] == 1)
    #expect(counter.elements["skipped"] == 1)
    #expect(counter.message == "exit status 3")
    #expect(counter.text.contains("a <b> & \"c\" ]]> \u{FFFD}[31m"))
    #expect(text.contains(#"tests="4" failures="1" errors="1" skipped="1" time="12.346""#))
    #expect(text.contains(#"timestamp="1970-01-01T00:00:00""#))
  }

  @Test func `JSON has what there is`() throws {
    var passed = try result("14.2", .passed)
    passed.exit = 0
    passed.bootSeconds = 1.23456
    #expect(
      JSONValue.object(passed.json)["bootSeconds"]?.double == 1.235)
    #expect(passed.json["result"]?.string == "passed")
    #expect(passed.json["commandSeconds"] == nil)
  }

  @Test(arguments: [
    RunMilestone.running, .ready, .lost, .commandEnded(0), .commandEnded(255),
  ])
  func `a milestone is read as it is written`(milestone: RunMilestone) {
    #expect(RunMilestone(milestone.text) == milestone)
    #expect(RunMilestone(milestone.text + " x") == nil)
  }
}
