/// Which entries below a folder are taken.
package struct PathSelection: Sendable {
  /// What is taken of an entry.
  enum Part: Sendable {
    /// It, with all that is in it.
    case whole
    /// Of a folder these entries, by name, and what is taken of each.
    indirect case some([[UInt8]: Part])
  }

  let top: Part

  /// Takes everything.
  package static let everything = PathSelection(top: .whole)

  private init(top: Part) { self.top = top }

  /// Takes these paths, relative to the folder, each with all that is in it, and the folders that
  /// lead there. An empty list takes nothing but the folder itself.
  ///
  /// - Throws: ``TarError/badSelection(_:)``.
  package init(_ paths: [[UInt8]]) throws(TarError) {
    var lists: [[[UInt8]]] = []
    for path in paths {
      let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true)
        .map(Array.init).filter { $0 != [0x2E] }
      guard !parts.isEmpty, path.first != UInt8(ascii: "/"), !path.contains(0),
        !parts.contains([0x2E, 0x2E])
      else { throw .badSelection(String(decoding: path, as: UTF8.self)) }
      lists.append(parts)
    }
    top = Self.part(lists[...], depth: 0)
  }

  private static func part(_ lists: ArraySlice<[[UInt8]]>, depth: Int) -> Part {
    // A path that ends here takes the whole, whatever other paths name in it.
    if lists.contains(where: { $0.count == depth }) { return .whole }
    let groups = Dictionary(grouping: lists) { $0[depth] }
    return .some(groups.mapValues { part($0[...], depth: depth + 1) })
  }
}
