import QMPClient
import Testing

@testable import QVMControl

@Suite struct LaunchPlanTests {
  private static let line = """
    {"kind":"boot","cache":"/c","name":"vm","command":["/bin/qemu","-m","1,2"],\
    "isPortFixed":true,"removeOnShutdown":false,"shutdownTimeout":120,"waitsForConsole":true,\
    "isFirst":false,"runtimeFolder":"/r","recording":"/tmp/q \\"x\\""}
    """

  @Test func `a plan is one line of JSON that the supervisor reads back`() throws {
    let plan = LaunchPlan(
      kind: .boot, cache: "/c", name: "vm", command: ["/bin/qemu", "-m", "1,2"],
      runtimeFolder: "/r", isPortFixed: true, removeOnShutdown: false, shutdownTimeout: 120,
      waitsForConsole: true, isFirst: false, recording: "/tmp/q \"x\"")
    #expect(plan.json.text == Self.line)
    #expect(LaunchPlan(try JSONValue(parsing: Self.line)) == plan)
  }

  @Test(arguments: [
    "kind", "cache", "name", "command", "isPortFixed", "removeOnShutdown",
    "shutdownTimeout", "waitsForConsole", "isFirst",
  ])
  func `a plan without one of its members is refused`(member: String) throws {
    var object = try #require(try JSONValue(parsing: Self.line).object)
    object[member] = nil
    #expect(LaunchPlan(.object(object)) == nil)
  }
}
