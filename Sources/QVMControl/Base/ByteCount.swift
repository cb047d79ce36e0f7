/// Formats sizes for people.
package enum ByteCount {
  /// In decimal units, like the sizes of disks and networks: `512 B`, `1.5 MB`, `120 MB`.
  package static func text(_ bytes: Int) -> String {
    if bytes < 1000 { return "\(max(0, bytes)) B" }
    var tenths = bytes / 100
    var units = ["kB", "MB", "GB", "TB", "PB", "EB"][...]
    while tenths >= 10_000, units.count > 1 {
      tenths /= 1000
      units.removeFirst()
    }
    let unit = units.first ?? "B"
    return tenths < 1000 ? "\(tenths / 10).\(tenths % 10) \(unit)" : "\(tenths / 10) \(unit)"
  }

  /// In binary units if that is exact, like the sizes of memory and of guests' disks: `512 MiB`, `30 GiB`.
  package static func binaryText(_ bytes: Int) -> String {
    for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB")] where bytes >= 1 << shift {
      if bytes % (1 << shift) == 0 { return "\(bytes >> shift) \(unit)" }
    }
    return text(bytes)
  }
}
