/// A recorded conversation with QEMU.
///
/// ```
/// # qmp transcript 1
/// # QEMU 7.2.22 Debian 1:7.2+dfsg-7+deb12u18+b3
/// <- {"QMP": {"version": …}}
/// -> {"execute":"qmp_capabilities","id":1}
/// <- {"return": {}, "id": 1}
/// <- EOF
/// ```
///
/// `->` marks what the client sends and `<-` what QEMU sends, as in QEMU's documentation. The lines
/// are in the order in which the client saw them. `EOF` marks the side that hung up. Lines that
/// begin with `#` are comments; the first one names the format. Times, process ids and folders are
/// removed.
public struct Transcript: Sendable {
  /// The first line of every transcript.
  public static let header = "# qmp transcript 1"

  /// What one side did.
  public enum Step: Sendable, Hashable {
    /// The client sent a line.
    case client(String)
    /// QEMU sent a line.
    case qemu(String)
    /// The client hung up.
    case clientHungUp
    /// QEMU hung up.
    case qemuHungUp

    /// The step as a line of the file.
    public var line: String {
      switch self {
      case .client(let text): "-> \(text)"
      case .qemu(let text): "<- \(text)"
      case .clientHungUp: "-> EOF"
      case .qemuHungUp: "<- EOF"
      }
    }

    init?(line: Substring) {
      let text = line.dropFirst(3)
      switch (line.prefix(3), text) {
      case ("-> ", "EOF"): self = .clientHungUp
      case ("<- ", "EOF"): self = .qemuHungUp
      case ("-> ", _): self = .client(String(text))
      case ("<- ", _): self = .qemu(String(text))
      default: return nil
      }
    }
  }

  /// Why a file is not a transcript, and where.
  public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file's name.
    public let file: String
    /// The number of the line, from 1.
    public let line: Int
    /// What is wrong there.
    public let reason: String

    /// `powerdown.qmp:8: …`
    public var description: String { "\(file):\(line): \(reason)" }
  }

  /// The file's name, for messages.
  public let name: String
  /// The comments after the header, without `#`.
  public let comments: [String]
  /// What happened, with line numbers from 1.
  public let steps: [(line: Int, step: Step)]

  /// Reads a transcript.
  ///
  /// - Parameters:
  ///   - text: The file's contents.
  ///   - name: The file's name, for messages.
  /// - Throws: ``Failure`` for another header, an unknown kind of line, or an incomplete line.
  public init(parsing text: String, name: String) throws(Failure) {
    self.name = name
    var comments: [String] = []
    var steps: [(line: Int, step: Step)] = []
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first ?? "" == Self.header else {
      throw Failure(file: name, line: 1, reason: "expected '\(Self.header)'")
    }
    guard lines.last ?? "" == "" else {
      throw Failure(file: name, line: lines.count, reason: "the line is not whole")
    }
    for (index, line) in lines.enumerated().dropFirst().dropLast() {
      if line.hasPrefix("#") {
        comments.append(String(line.drop { $0 == "#" || $0 == " " }))
      } else if let step = Step(line: line) {
        steps.append((index + 1, step))
      } else {
        throw Failure(file: name, line: index + 1, reason: "expected '->', '<-' or '#'")
      }
    }
    self.comments = comments
    self.steps = steps
  }
}
