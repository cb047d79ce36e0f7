/// One target of a matrix: a guest with an instance of its own.
package struct MatrixTarget: Sendable, Hashable {
  package let target: Target
  /// The instance that is created for it.
  package let name: InstanceName
  /// The words for `run`, with the command for the guest.
  package let words: [String]

  package init(_ target: Target, name: InstanceName, words: [String]) {
    self.target = target
    self.name = name
    self.words = words
  }

  /// As the user names it: `freebsd:14.2`, or `openbsd:7.9/arm64` if it isn't what the host would run.
  package var label: String { target.label }
}

extension Target {
  /// As `run` and `matrix` take it in one word.
  package var label: String {
    let available = operatingSystem.architectures
    let usual = available.contains(Host.architecture) ? Host.architecture : available.first
    let word = "\(operatingSystem.rawValue):\(version)"
    return architecture == usual ? word : "\(word)/\(architecture.rawValue)"
  }
}
