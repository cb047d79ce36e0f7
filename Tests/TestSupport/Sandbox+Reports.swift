package import QMPClient
package import QVMControl

/// What a command has reported, as a value: the words of each are compared in the unit test of its type.
extension Sandbox.Output {
  /// Whether standard error has the message of a failure, and its advice if it has any.
  ///
  /// A detail that ends a message may be left empty by a test that cannot know it.
  package func reports(_ failure: some UserFacingError) -> Bool {
    err.contains(ForeignText.lines(failure.message)) && (failure.advice == nil || advises(failure))
  }

  /// Whether standard error has the advice of a failure, for one whose values the test cannot know.
  package func advises(_ failure: some UserFacingError) -> Bool {
    failure.advice.map { err.contains(ForeignText.lines($0)) } ?? false
  }

  /// Whether standard error reports that a VM ended in a way.
  ///
  /// - Parameters:
  ///   - result: How.
  ///   - name: The instance.
  ///   - reason: As in `outcome.json`; empty for any.
  /// - Returns: Whether its sentence is there, up to what differs from boot to boot.
  package func reports(_ result: Outcome.Ending, of name: String, reason: String = "") -> Bool {
    err.contains(Self.sentence(result, of: name, reason: reason))
  }

  /// The beginning of the sentence that reports an end.
  package static func sentence(
    _ result: Outcome.Ending, of name: String, reason: String = ""
  ) -> String {
    let sentence = Outcome(token: "", result: result, reason: reason).sentence(name, disk: "/")
    return String(sentence.prefix { !$0.isNewline })
  }
}

extension Sandbox {
  /// The failure of a command that needs an instance whose VM runs.
  ///
  /// - Parameters:
  ///   - name: The instance.
  ///   - doing: What the command was to do with it: `run`, `start` or `remove`.
  /// - Returns: The failure, with the values of the present boot.
  /// - Throws: What keeps `status` from running.
  package func running(_ name: String, _ doing: String) async throws -> InstanceError {
    running(name, doing, as: try await status(name))
  }

  /// The same with what `status --json` has shown.
  package func running(_ name: String, _ doing: String, as status: JSONValue) -> InstanceError {
    let system = status["os"]?.string.flatMap(OperatingSystem.init(rawValue:))
    return .running(
      name: name, doing: doing, pid: status["pid"]?.int.map(Int32.init),
      since: status["startedAt"]?.string.flatMap(Timestamp.init) ?? .now,
      hasSSH: system?.sshUser != nil)
  }
}
