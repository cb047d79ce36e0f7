/// Waits until a condition holds: looks at once, soon again, and then less and less often, since most
/// conditions start a process.
///
/// - Parameters:
///   - what: What is waited for, for the failure.
///   - limit: The longest wait.
///   - condition: Looks whether it holds.
/// - Throws: ``Sandbox/Failure`` when the time is up; what the condition throws.
package func eventually(
  _ what: String, within limit: Duration = .seconds(30), _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now.advanced(by: limit)
  var pause = Duration.milliseconds(10)
  while true {
    if try await condition() { return }
    guard ContinuousClock.now < deadline else { break }
    try await Task.sleep(for: pause)
    pause = min(pause * 3 / 2, .milliseconds(100))
  }
  throw Sandbox.Failure("it did not come about: \(what)")
}
