/// What QEMU sends when a client connects.
public struct QMPGreeting: Sendable, Hashable {
  /// QEMU's version.
  public let version: QEMUVersion
  /// What the monitor offers beyond the basics; `oob` is out-of-band execution.
  public let capabilities: [String]

  init?(_ json: JSONValue) {
    guard let body = json["QMP"], let version = try? QEMUVersion(body["version"] ?? .null) else {
      return nil
    }
    self.version = version
    capabilities = body["capabilities"]?.array?.compactMap(\.string) ?? []
  }
}

/// A version of QEMU, such as 7.2.22.
public struct QEMUVersion: QMPReply, Hashable, Comparable, CustomStringConvertible {
  /// The first number.
  public let major: Int
  /// The second number.
  public let minor: Int
  /// The third number.
  public let micro: Int
  /// The packager's addition, such as `Debian 1:7.2+dfsg-7`; often empty.
  public let package: String

  /// Reads `VersionInfo` of `qapi/control.json`.
  public init(_ json: JSONValue) throws(QMPReplyError) {
    guard let numbers = json["qemu"] else { throw QMPReplyError("qemu") }
    major = try numbers.requiredInt("major")
    minor = try numbers.requiredInt("minor")
    micro = try numbers.requiredInt("micro")
    package = json["package"]?.string ?? ""
  }

  /// Creates a version from its numbers.
  public init(major: Int, minor: Int, micro: Int, package: String = "") {
    self.major = major
    self.minor = minor
    self.micro = micro
    self.package = package
  }

  /// Reads two or three numbers with dots between them, such as `11.1.3`; nil for anything else.
  public init?(_ text: String) {
    let numbers = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard (2...3).contains(numbers.count), let major = numbers[0], let minor = numbers[1],
      let micro = numbers.count == 3 ? numbers[2] : 0
    else { return nil }
    self.init(major: major, minor: minor, micro: micro)
  }

  /// Orders by the three numbers.
  public static func < (left: QEMUVersion, right: QEMUVersion) -> Bool {
    (left.major, left.minor, left.micro) < (right.major, right.minor, right.micro)
  }

  /// The three numbers with dots.
  public var description: String { "\(major).\(minor).\(micro)" }
}
