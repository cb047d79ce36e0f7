/// The known releases, newest first. They are searched if the latest release doesn't have a file
/// and GitHub's list is unavailable.
///
/// Source: the changelogs of the repositories of github.com/cross-platform-actions.
enum FallbackReleases {
  static func of(_ repository: String) -> [String] {
    switch repository {
    case "freebsd-builder":
      [
        "v0.15.0", "v0.14.0", "v0.13.1", "v0.13.0", "v0.12.0", "v0.11.0", "v0.10.0", "v0.9.0",
        "v0.8.0", "v0.7.0", "v0.6.0", "v0.5.0", "v0.4.0", "v0.3.0",
      ]
    case "openbsd-builder":
      [
        "v0.14.0", "v0.13.0", "v0.12.0", "v0.11.1", "v0.11.0", "v0.10.0", "v0.9.0", "v0.8.0",
        "v0.7.0", "v0.6.0", "v0.5.0", "v0.4.0", "v0.3.0",
      ]
    // Since v1.0.0 the assets are bundles of a raw disk and a kernel, not qcow2 images.
    case "netbsd-builder":
      ["v1.0.0", "v0.7.0", "v0.6.0", "v0.5.1", "v0.5.0", "v0.4.0", "v0.3.0", "v0.2.0", "v0.1.0"]
    case "haiku-builder": ["v0.1.0", "v0.0.2", "v0.0.1"]
    case "omnios-builder": ["v0.2.0", "v0.0.1"]
    case "resources": ["v2.0.0", "v1.1.0", "v1.0.0", "v0.12.0", "v0.11.0"]
    default: []
    }
  }
}
