/// A path in a guest: absolute, below `~`, or relative to the home of the user who logs in.
package struct GuestPath: Sendable, Hashable {
  /// As it was given; never empty.
  package let text: String

  /// - Parameter text: If it is empty, the path is the home.
  package init(_ text: String) { self.text = text.isEmpty ? "." : text }

  /// Its names, without those that mean nothing; the first is `~` for a path below that.
  private var names: [Substring] { text.split(separator: "/").filter { $0 != "." } }

  /// Whether it names what is in a folder, as `.` and `folder/.` do.
  package var isContents: Bool {
    let last = text.split(separator: "/", omittingEmptySubsequences: true).last
    return last == nil || last == "." || last == ".." || text == "~" || text == "~/"
  }

  /// Whether it can only be a folder.
  package var isFolder: Bool { text.hasSuffix("/") || isContents }

  /// The last name; empty for the root, the home and the like.
  package var lastName: String { isContents ? "" : String(names.last ?? "") }

  /// The same path without slashes at the end, and without the names that mean nothing.
  package var plain: GuestPath {
    let joined = names.joined(separator: "/")
    if text.hasPrefix("/") { return GuestPath("/\(joined)") }
    if names.first == "~" {
      return GuestPath(names.count == 1 ? "." : names.dropFirst().joined(separator: "/"))
    }
    return GuestPath(joined)
  }

  /// The folder that it is in.
  package var parent: GuestPath {
    let names = names.dropLast().joined(separator: "/")
    return GuestPath(text.hasPrefix("/") ? "/\(names)" : names)
  }

  /// What is at a path below it.
  package func appending(_ path: String) -> GuestPath {
    if path.isEmpty { return self }
    if text == "." { return GuestPath(path) }
    return GuestPath(text.hasSuffix("/") ? text + path : "\(text)/\(path)")
  }

  /// Whether it is the root, whatever way it is written.
  package var isRoot: Bool {
    guard text.hasPrefix("/") else { return false }
    var depth = 0
    for name in names { depth = name == ".." ? max(0, depth - 1) : depth + 1 }
    return depth == 0
  }

  /// Whether a part of it leads upwards.
  package var leadsUp: Bool { names.contains("..") }

  /// The path as one word of a shell's script. It never looks like an option.
  var word: String {
    if text == "~" || text == "~/" { return "\"$HOME\"/." }
    if text.hasPrefix("~/") {
      return "\"$HOME\"\(LoginShell.quoted(String(text.dropFirst())))"
    }
    return LoginShell.quoted(text.hasPrefix("/") ? text : "./\(text)")
  }
}
