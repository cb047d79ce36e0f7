internal import QMPClient

/// What a new instance needs: a QEMU, a base image and qemu-img.
package struct LaunchPrerequisites: Sendable {
  package let toolchain: QEMUToolchain
  package let baseImage: BaseImage
  package let imageTools: ImageTools

  /// Downloads whatever is missing, in parallel.
  ///
  /// - Parameters:
  ///   - target: The guest, its version and its architecture.
  ///   - refresh: Whether to look for newer releases even if an image and a QEMU are there.
  ///   - release: The tag of the only release whose image is accepted; nil for any.
  ///   - client: Finds and downloads what is missing.
  /// - Returns: All three.
  /// - Throws: The first failure, once the other downloads have been cancelled.
  package static func ensure(
    for target: Target, refresh: Bool = false, release: String? = nil,
    with client: ReleaseClient
  ) async throws -> LaunchPrerequisites {
    // Two tasks wait for this one: the group's last, and the base image's, for its check.
    let tools = Task(executorPreference: client.loop) {
      try await ImageTools.ensure(for: target, refresh: refresh, with: client)
    }
    // A group, because `async let` is awaited in the order in which it is written: here the first
    // failure is reported at once and cancels the others.
    return try await withThrowingTaskGroup(of: Part.self) { group in
      group.addTask {
        .toolchain(
          try await QEMUToolchain.ensure(for: target, refresh: refresh, with: client))
      }
      group.addTask {
        .baseImage(
          try await BaseImage.ensure(target, refresh: refresh, release: release, with: client) {
            try await tools.value
          })
      }
      group.addTask {
        // `tools` is not a child of the group, so the group's cancellation is passed on here.
        .imageTools(
          try await withTaskCancellationHandler {
            try await tools.value
          } onCancel: {
            tools.cancel()
          })
      }
      var parts = Parts()
      while let part = try await group.next() { parts.take(part) }
      return try parts.complete()
    }
  }

  private enum Part: Sendable {
    case toolchain(QEMUToolchain)
    case baseImage(BaseImage)
    case imageTools(ImageTools)
  }

  private struct Parts {
    private var toolchain: QEMUToolchain?
    private var baseImage: BaseImage?
    private var imageTools: ImageTools?

    mutating func take(_ part: Part) {
      switch part {
      case .toolchain(let toolchain): self.toolchain = toolchain
      case .baseImage(let baseImage): self.baseImage = baseImage
      case .imageTools(let imageTools): self.imageTools = imageTools
      }
    }

    func complete() throws -> LaunchPrerequisites {
      guard let toolchain, let baseImage, let imageTools else { throw CancellationError() }
      return LaunchPrerequisites(toolchain: toolchain, baseImage: baseImage, imageTools: imageTools)
    }
  }
}
