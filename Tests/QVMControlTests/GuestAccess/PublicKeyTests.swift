import TestSupport
import Testing

@testable import QVMControl

@Suite struct PublicKeyTests {
  private let folder: TemporaryFolder
  /// From `ssh-keygen -t ed25519`.
  private static let key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII6h4dVJ0+NF3SIK85jDQFyv+aQCQD47jm5zhhay7YyL"

  init() throws { folder = try TemporaryFolder() }

  private func file(_ text: String, _ name: String = "key") throws -> String {
    let path = "\(folder.path)/\(name)"
    try Files.write(Array(text.utf8), to: path)
    return path
  }

  @Test(arguments: [
    "\(key)\n", "\(key)", "# mine\n\n\(key)\r\n", "  \(key)\n",
  ])
  func `a public key is read as it is`(text: String) throws {
    #expect(try PublicKey.read(try file(text)).map(\.line) == [Self.key])
  }

  @Test func `comments and several keys stay`() throws {
    let text = "\(Self.key) me@here, there\n\(Self.key)\tother\n"
    #expect(
      try PublicKey.read(try file(text)).map(\.line)
        == ["\(Self.key) me@here, there", "\(Self.key) other"])
  }

  @Test func `of a private key the public one beside it is read`() throws {
    let path = try file("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "id")
    #expect(throws: SSHKeyError.privateAlone(path: path)) { try PublicKey.read(path) }
    _ = try file(Self.key, "id.pub")
    #expect(try PublicKey.read(path).map(\.line) == [Self.key])
  }

  @Test(arguments: [
    "", "# nothing\n", "hello\n", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-ed25519 !!!!",
    // The kind inside is another one.
    key.replacing("ssh-ed25519", with: "ssh-rsa"),
    "command=\"x\" \(key)", "\(key)\nnot a key\n", "\(key) a\u{7}b\n",
    "ssh-ed25519-cert-v01@openssh.com AAAAC3NzaC1lZDI1NTE5AAAAII6h4dVJ",
    String(repeating: "x", count: 1 << 17),
  ])
  func `what is no public key is refused`(text: String) throws {
    let path = try file(text)
    #expect(throws: SSHKeyError.noKey(path: path)) { try PublicKey.read(path) }
  }

  @Test func `what cannot be read is named`() throws {
    let missing = "\(folder.path)/none"
    #expect(throws: SSHKeyError.missing(path: missing)) { try PublicKey.read(missing) }
    #expect(throws: SSHKeyError.noFile(path: folder.path)) { try PublicKey.read(folder.path) }
    let path = try file("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n")
    #expect(throws: SSHKeyError.otherFormat(path: path)) { try PublicKey.read(path) }
  }
}
