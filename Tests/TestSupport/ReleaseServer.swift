public import Foundation
internal import QMPClient
internal import QVMControl

/// A server on this machine with the layout of the real release server, and its faults.
///
/// It serves a folder of `<repository>/<tag>/<asset>`; `<repository>/latest` is a file with a tag.
/// Assets are answered by a redirect to an address that works once, as GitHub's expire. It ends
/// when this object does, or this process.
public final class ReleaseServer: Sendable {
  /// The folder that it serves.
  public let root: URL
  /// For `QVM_BASE_URL`.
  public let baseURL: String
  /// The certificate to trust, for `CURL_CA_BUNDLE`; nil for a server without TLS.
  public let certificate: URL?
  /// The server has the other end, and ends when this one is closed.
  private let connection: Descriptor

  /// Forks the servers of this process: Python takes a tenth of a second to begin, and less for a fork
  /// than for one of its requests.
  private struct Launcher: Sendable {
    let process: ChildProcess
    /// Its standard input.
    let orders: Descriptor
  }

  private static let launcher = Result<Launcher, any Error> {
    let script = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "release_server.py")
    let (orders, end) = try SocketCalls.pair()
    let process = try ChildProcess(
      .init(try Tool.python.url.path, [script.path], descriptors: [end, nil, nil]))
    return Launcher(process: process, orders: orders)
  }

  /// What goes wrong with the answers for an asset.
  public enum Fault: Sendable {
    /// This status instead of the file.
    case status(Int)
    /// This status with a `Retry-After` of so many seconds.
    case busy(Int, seconds: Int)
    /// A web page with status 200.
    case html
    /// No answer at all.
    case hang
    /// The connection is closed without an answer.
    case drop
    /// The connection ends at this byte of the file, as often as it is asked for.
    case truncate(at: Int)
    /// No Content-Length, and the connection ends at this byte of the file.
    case withoutLength(upTo: Int)
    /// Ranges are ignored.
    case withoutRanges
    /// So many bytes a second; once the fault is lifted, the rest at once.
    case slow(Int)
    /// The bytes that ``publishOther(_:as:)`` put aside, so many of them a second.
    case other(Int)
    /// Another entity tag than in the answers to HEAD.
    case otherTag
    /// For `<asset>.headers`: neither length nor entity tag nor date.
    case vague
    /// In the list of releases: digests that aren't those of the files.
    case wrongDigest
    /// In the list of releases: no digests.
    case withoutDigest
    /// In the place of the list of releases: this status, and that there is none before a time in
    /// seconds since 1970.
    case rateLimited(Int, until: Int)
    /// In the place of the list of releases: one without a length and without an end.
    case endless
    /// A client that shows a token doesn't get the list of releases.
    case badToken
    /// The fault for so many requests only.
    indirect case times(Int, Fault)

    var words: String {
      switch self {
      case .status(let status): "status \(status)"
      case .busy(let status, let seconds): "busy \(status) \(seconds)"
      case .html: "html"
      case .hang: "hang"
      case .drop: "drop"
      case .truncate(let offset): "truncate \(offset)"
      case .withoutLength(let offset): "no-length \(offset)"
      case .withoutRanges: "no-range"
      case .slow(let rate): "slow \(rate)"
      case .other(let rate): "other \(rate)"
      case .otherTag: "other-tag"
      case .vague: "vague"
      case .wrongDigest: "wrong-digest"
      case .withoutDigest: "no-digest"
      case .rateLimited(let status, let end): "rate-limit \(status) \(end)"
      case .endless: "endless"
      case .badToken: "bad-token"
      case .times(let count, let fault): "times \(count) \(fault.words)"
      }
    }
  }

  /// What the server was asked, in the order of the answers.
  public struct Request: Sendable {
    /// When it was answered, in seconds since 1970.
    public let time: Double
    /// Such as `GET`.
    public let method: String
    /// With the query.
    public let path: String
    /// What it was answered with.
    public let status: Int
    /// The `Range` header.
    public let range: String?
    /// The `Host` header: another one than the server's own where it was asked as a proxy.
    public let host: String?
    /// The `Authorization` header.
    public let authorization: String?
  }

  /// Starts a server for a folder, which is made where it is absent.
  ///
  /// - Parameters:
  ///   - root: Where the releases are.
  ///   - secure: Whether it speaks TLS, with a certificate that is not trusted yet.
  /// - Returns: A server that can be asked.
  /// - Throws: An error where Python, or openssl for a certificate, is missing.
  public static func start(root: URL, secure: Bool = false) throws -> ReleaseServer {
    try ReleaseServer(root: root, secure: secure)
  }

  private init(root: URL, secure: Bool) throws {
    self.root = root
    try FileManager.default.createDirectory(
      at: root.appending(path: ".faults"), withIntermediateDirectories: true)
    var arguments = [root.path]
    if secure {
      let (certificate, key) = try Self.makeCertificate(in: root)
      arguments += [certificate.path, key.path]
      self.certificate = certificate
    } else {
      certificate = nil
    }
    let (connection, end) = try SocketCalls.pair()
    self.connection = connection
    try SocketCalls.pass(end.number, to: Self.launcher.get().orders.number)
    let line = JSONValue.array(arguments.map(JSONValue.string)).bytes + [0x0A]
    guard
      case .bytes(line.count) = line.withUnsafeBytes({
        SocketCalls.send(connection.number, $0)
      }), let port = Self.port(from: connection)
    else { throw Sandbox.Failure("the release server did not start") }
    baseURL = "\(secure ? "https" : "http")://127.0.0.1:\(port)/cross-platform-actions"
  }

  /// Reads the line with the port that the server prints.
  private static func port(from output: Descriptor) -> Int? {
    let deadline = SuspendingClock.now.advanced(by: .seconds(20))
    var line: [UInt8] = []
    while line.last != UInt8(ascii: "\n") {
      guard SocketCalls.wait(output.number, for: .read, until: deadline),
        case .bytes(let bytes) = SocketCalls.receive(output.number)
      else { return nil }
      line += bytes
    }
    return Int(String(decoding: line.dropLast(), as: UTF8.self))
  }

  private static func makeCertificate(in root: URL) throws -> (URL, URL) {
    let certificate = root.appending(path: ".certificate")
    let key = root.appending(path: ".key")
    let end = try RunningCommand.runBlocking(
      "/usr/bin/env",
      [
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
        "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key.path, "-out",
        certificate.path,
      ])
    guard end == .exited(0) else {
      throw Sandbox.Failure("openssl could not make a certificate")
    }
    return (certificate, key)
  }

  // MARK: - What it serves

  /// Where an asset is.
  public func file(_ asset: String, tag: String, in repository: String) -> URL {
    root.appending(path: "\(repository)/\(tag)/\(asset)")
  }

  /// Puts an asset into a release.
  public func publish(
    _ content: Data, as asset: String, tag: String, in repository: String
  ) throws {
    let file = file(asset, tag: tag, in: repository)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try content.write(to: file)
  }

  /// Puts other bytes aside for the fault ``Fault/other(_:)`` of an asset.
  public func publishOther(_ content: Data, as asset: String) throws {
    let folder = root.appending(path: ".other")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try content.write(to: folder.appending(path: asset))
  }

  /// Makes a release the latest one of its repository.
  public func setLatest(_ tag: String, in repository: String) throws {
    let folder = root.appending(path: repository)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(tag.utf8).write(to: folder.appending(path: "latest"))
  }

  /// Changes the answers for an asset, for `<repository>.latest` or for `<repository>.json`, the
  /// list of releases; nil for none.
  public func setFault(_ fault: Fault?, for name: String) throws {
    try setWords(fault?.words, for: name)
  }

  /// Redirects an asset, `<repository>.latest` or `<repository>.json` somewhere else.
  public func redirect(_ name: String, to address: String) throws {
    if name.hasSuffix(".latest") || name.hasSuffix(".json") {
      try setWords("redirect \(address)", for: name)
    } else {
      try setWords(address, for: "\(name).redirect")
    }
  }

  private func setWords(_ words: String?, for name: String) throws {
    let file = root.appending(path: ".faults/\(name)")
    if let words {
      try Data(words.utf8).write(to: file)
    } else {
      try? FileManager.default.removeItem(at: file)
    }
  }

  // MARK: - What it was asked

  /// Every request so far.
  public var requests: [Request] {
    let bytes = FileManager.default.contents(atPath: root.appending(path: ".requests").path)
    return (bytes ?? Data()).split(separator: 10).compactMap { line in
      guard let json = try? JSONValue(parsing: Array(line)), let method = json["method"]?.string,
        let path = json["path"]?.string, let status = json["status"]?.int
      else { return nil }
      return Request(
        time: json["time"]?.double ?? 0, method: method, path: path, status: status,
        range: json["range"]?.string,
        host: json["host"]?.string,
        authorization: json["authorization"]?.string)
    }
  }

  /// The requests for an asset's bytes, after the redirect.
  public func transfers(of asset: String) -> [Request] {
    requests.filter { $0.method == "GET" && $0.path.hasPrefix("/signed/\(asset)?") }
  }

  /// Empties the list of requests.
  public func forgetRequests() throws {
    try? FileManager.default.removeItem(at: root.appending(path: ".requests"))
  }
}
