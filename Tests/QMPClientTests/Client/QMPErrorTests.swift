import QMPClient
import Testing

@Suite struct QMPErrorTests {
  @Test(
    arguments: [
      (.socketPathTooLong(path: "/a", limit: 107), "socket path longer than 107 bytes: /a"),
      (
        .cannotConnect(path: "/a", SystemError(call: "connect", code: 2)),
        "cannot connect to /a: No such file or directory"
      ),
      (
        .transport(SystemError(call: "recv", code: 9)),
        "monitor socket failed: recv: Bad file descriptor"
      ),
      (.disconnected(command: nil), "QEMU hung up"),
      (.disconnected(command: "stop"), "QEMU hung up before it answered 'stop'"),
      (.closed, "the monitor connection is closed"),
      (.lineTooLong(limit: 16), "QEMU sent a line of more than 16 bytes"),
      (.notQMP(line: "garbage"), "not a QMP message: garbage"),
      (
        .unexpectedReply(command: "query-status", path: "status"),
        "QEMU's reply to 'query-status' has no usable 'status'"
      ),
      (
        .refused(command: "cont", errorClass: "GenericError", description: "Reset is required"),
        "QEMU refused 'cont': Reset is required (GenericError)"
      ),
      (
        .noGreeting(seconds: 2.5),
        "no greeting within 2.5 s: the monitor is busy with another client, or QEMU is stopped"
      ),
      (.timedOut(command: "stop", seconds: 5), "no reply to 'stop' within 5.0 s"),
      (.cancelled(command: "stop"), "'stop' was cancelled"),
    ] as [(QMPError, String)])
  func `every error says in one sentence what went wrong`(error: QMPError, sentence: String) {
    #expect(error.description == sentence)
  }
}
