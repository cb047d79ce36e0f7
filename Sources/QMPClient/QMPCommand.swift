/// A QMP command: its name on the wire, its arguments and the shape of its reply.
///
/// ```swift
/// struct QueryName: QMPCommand {
///   static let name = "query-name"
///   struct Reply: QMPReply { … }
/// }
/// ```
public protocol QMPCommand: Sendable {
  /// What QEMU returns; ``QMPEmpty`` unless said otherwise.
  associatedtype Reply: QMPReply = QMPEmpty

  /// The name on the wire, such as `query-status`.
  static var name: String { get }

  /// The arguments on the wire; none unless said otherwise.
  var arguments: JSONObject { get }
}

extension QMPCommand {
  /// No arguments.
  public var arguments: JSONObject { JSONObject() }
}

/// A value that is read from the `return` member of a reply.
public protocol QMPReply: Sendable {
  /// Reads the reply. Unknown members are ignored, because newer QEMUs add some.
  ///
  /// - Throws: ``QMPReplyError`` naming the member that is missing or of another type.
  init(_ json: JSONValue) throws(QMPReplyError)
}

/// A member of a reply that is missing or of another type.
public struct QMPReplyError: Error, Sendable, Hashable {
  /// The member's name; empty for the reply as a whole.
  public let path: String

  /// Creates the error for a member.
  public init(_ path: String) { self.path = path }
}

extension JSONValue {
  /// The string value of a member, or an error that names the member.
  public func requiredString(_ name: String) throws(QMPReplyError) -> String {
    guard let text = self[name]?.string else { throw QMPReplyError(name) }
    return text
  }

  /// The boolean value of a member, or an error that names the member.
  public func requiredBool(_ name: String) throws(QMPReplyError) -> Bool {
    guard let value = self[name]?.bool else { throw QMPReplyError(name) }
    return value
  }

  /// The integer value of a member, or an error that names the member.
  public func requiredInt(_ name: String) throws(QMPReplyError) -> Int {
    guard let value = self[name]?.int else { throw QMPReplyError(name) }
    return value
  }
}

extension JSONValue {
  /// Reads each element of an array. An error names the element and its member, such as `2.device`.
  public func requiredElements<Element>(
    _ read: (JSONValue) throws(QMPReplyError) -> Element
  ) throws(QMPReplyError) -> [Element] {
    guard let array else { throw QMPReplyError("") }
    var elements: [Element] = []
    elements.reserveCapacity(array.count)
    for (index, element) in array.enumerated() {
      do throws(QMPReplyError) { elements.append(try read(element)) } catch {
        throw QMPReplyError(error.path.isEmpty ? "\(index)" : "\(index).\(error.path)")
      }
    }
    return elements
  }
}

/// The reply of a command that returns nothing of interest: `{}`.
public struct QMPEmpty: QMPReply, Hashable {
  /// Accepts anything.
  public init(_ json: JSONValue) {}
}

extension JSONValue: QMPReply {
  /// Keeps the reply unchanged.
  public init(_ json: JSONValue) { self = json }
}

extension JSONValue {
  /// Reads a `return` member as the reply to a command.
  func reply<Command: QMPCommand>(to _: Command.Type) throws(QMPError) -> Command.Reply {
    do throws(QMPReplyError) { return try Command.Reply(self) } catch {
      throw .unexpectedReply(command: Command.name, path: error.path)
    }
  }
}
