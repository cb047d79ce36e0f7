import Testing
import TestSupport

@testable import QMPClient

@Suite struct ScrubberTests {
  private func scrub(_ line: String) -> String {
    String(decoding: Scrubber.scrub(Array(line.utf8)), as: UTF8.self)
  }

  @Test(
    arguments: [
      // Times and process ids.
      (
        #"{"timestamp": {"seconds": 1700000000, "microseconds": 12}, "event": "STOP"}"#,
        #"{"timestamp": {"seconds": 0, "microseconds": 0}, "event": "STOP"}"#
      ),
      (#"{"seconds":-1 , "microseconds" : 2e5}"#, #"{"seconds":0 , "microseconds" : 0}"#),
      (#"{"thread-id": 4711, "pid": 12}"#, #"{"thread-id": 0, "pid": 0}"#),
      (#"{"cpu-index": 3, "size": 1.5}"#, #"{"cpu-index": 3, "size": 1.5}"#),
      // Paths.
      (#"{"file": "/home/me/My VMs/disk.qcow2"}"#, #"{"file": "/scrubbed/disk.qcow2"}"#),
      (
        #""unix:/run/user/1000/qvm/ab/monitor.sock,server=on""#,
        #""unix:/scrubbed/monitor.sock,server=on""#
      ),
      (
        #"{"desc": "Could not open '/home/me/x': No such file"}"#,
        #"{"desc": "Could not open '/scrubbed/x': No such file"}"#
      ),
      (
        #""json:{\"file\": {\"filename\": \"/home/me/a.img\"}}""#,
        #""json:{\"file\": {\"filename\": \"/scrubbed/a.img\"}}""#
      ),
      (#""drive0: /home/me/a.img (raw)\r\n""#, #""drive0: /scrubbed/a.img (raw)\r\n""#),
      (#"["/a/b,c=/d/e"]"#, #"["/scrubbed/b,c=/scrubbed/e"]"#),
      // What stays.
      (
        #"{"qom-path": "/machine/unattached/device[0]"}"#,
        #"{"qom-path": "/machine/unattached/device[0]"}"#
      ),
      (#""/dev/kvm""#, #""/dev/kvm""#),
      (#""application/json 1/2 and/or""#, #""application/json 1/2 and/or""#),
      (#""/""#, #""/""#), (#"{"a\"/b": "\\"}"#, #"{"a\"/b": "\\"}"#),
      (#"{"execute":"query-status","id":1}"#, #"{"execute":"query-status","id":1}"#),
      // What is not JSON.
      (#"garbage "/home/me/x"#, #"garbage "/scrubbed/x"#), (#""\"#, #""\"#), ("\"", "\""), ("", ""),
    ] as [(String, String)])
  func `times, process ids and folders go, all else stays as it was`(line: String, scrubbed: String)
  {
    #expect(scrub(line) == scrubbed)
  }

  @Test func `scrubbing twice is scrubbing once`() throws {
    for recorded in QMPFixtures.all {
      for transcript in try recorded.transcripts() {
        for (_, step) in transcript.steps { #expect(scrub(step.line) == step.line) }
      }
    }
  }
}
