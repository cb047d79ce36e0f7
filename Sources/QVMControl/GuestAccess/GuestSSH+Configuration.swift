/// ssh's configuration for a guest, for programs that run ssh themselves.
extension GuestSSH {
  /// A `Host` block that ssh, scp, sftp, rsync, git and Ansible take as it is.
  ///
  /// It has all that leads to this guest and to no other: the user's own settings for other hosts may come
  /// after it in the same file. It shares no connection, because another VM may get the port later.
  ///
  /// - Throws: `unquotable` if ssh can't be given the path of a file.
  package func configuration() throws(SSHError) -> String {
    var lines = [
      "HostName \(address)", "Port \(port)", "User \(user)", "HostKeyAlias \(name)",
      "UserKnownHostsFile \(try Self.quoted("\(folder)/\(InstanceFiles.knownHostsName)"))",
      "GlobalKnownHostsFile /dev/null", "StrictHostKeyChecking accept-new", "UpdateHostKeys no",
      "CheckHostIP no", "ProxyCommand none", "ControlPath none",
    ]
    if let key {
      if isImageUser { lines.append("IdentitiesOnly yes") }
      for file in [key.privateKey] + Self.usualKeys {
        lines.append("IdentityFile \(try Self.quoted(file))")
      }
    }
    return (["Host \(name)"] + lines.map { "  \($0)" }).map { "\($0)\n" }.joined()
  }

  /// A path as ssh reads it in a configuration: in quotes, which have their own escapes, with percent signs
  /// that are none of ssh's tokens.
  ///
  /// - Throws: `unquotable`: ssh expands `${…}` in a path, and has no way to write it; a line can't hold a
  ///   line break.
  static func quoted(_ path: String) throws(SSHError) -> String {
    guard !path.contains("${"), !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      throw .unquotable(path: path)
    }
    let text = path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      .replacing("%", with: "%%")
    return "\"\(text)\""
  }
}
