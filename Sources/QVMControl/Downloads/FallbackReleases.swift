/// The known releases, newest first. They are searched if the latest release doesn't have a file
/// and GitHub's list is unavailable.
///
/// Source: the changelogs of the repositories of github.com/cross-platform-actions.
package enum FallbackReleases {
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
  /// The versions that the known releases have for an architecture. They are what completions offer, and
  /// what is chosen from while the list of releases is refused.
  ///
  /// Source: the same changelogs.
  package static func versions(
    of operatingSystem: OperatingSystem, on architecture: Architecture
  ) -> [String] {
    let isArm = architecture == .arm64
    switch operatingSystem {
    case .freebsd:
      return (isArm ? [] : ["12.2"]) + [
        "12.4", "13.0", "13.1", "13.2", "13.3", "13.4", "13.5", "14.0", "14.1", "14.2", "14.3",
        "14.4", "15.0", "15.1",
      ]
    case .openbsd:
      return [
        "6.8", "6.9", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "7.7", "7.8", "7.9",
      ]
    case .netbsd: return ["9.2", "9.3"] + (isArm ? [] : ["9.4"]) + ["10.0", "10.1", "11.0"]
    case .haiku: return isArm ? [] : ["r1beta5"]
    case .omnios: return isArm ? [] : ["r151056", "r151058"]
    case .demo: return [Target.demoVersion]
    }
  }
}
