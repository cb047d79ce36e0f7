/// What is fetched from a guest after a command: `GUESTPATH[:HOSTPATH]`.
package struct OutputPath: Sendable, Hashable {
  /// It may be a pattern.
  package let guest: GuestPath
  package let host: String

  /// - Throws: ``CopyError/noHostFolder(_:)`` if the target can't be.
  package init(_ text: String) throws(CopyError) {
    let colon = text.firstIndex(of: ":")
    guest = GuestPath(String(text[..<(colon ?? text.endIndex)]))
    let target = colon.map { String(text[text.index(after: $0)...]) } ?? ""
    host = target.isEmpty ? "." : target
    try CopyFromGuest.check([guest], to: host)
  }

  /// With a path that doesn't begin at the home but in a folder.
  func path(in folder: GuestPath?) -> GuestPath {
    guard let folder, !guest.text.hasPrefix("/"), guest.text != "~", !guest.text.hasPrefix("~/")
    else { return guest }
    return folder.appending(guest.text)
  }
}
