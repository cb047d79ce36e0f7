internal import QMPClient

/// What a new instance is made of.
package struct LaunchPrerequisites: Sendable {
  package let toolchain: QEMUToolchain
  package let baseImage: BaseImage
  package let imageTools: ImageTools

  /// Makes sure that all of it is there; what is missing downloads side by side.
  ///
  /// - Parameters:
  ///   - target: What the instance is to be.
  ///   - refresh: Whether to ask for newer releases although there are an image and a QEMU.
  ///   - release: The tag of the only release whose image will do; nil for any.
  ///   - client: Finds and downloads what is missing.
  /// - Returns: All of it.
  /// - Throws: What the first that fails throws, after the others have been ended.
  package static func ensure(
    for target: Target, refresh: Bool = false, release: String? = nil,
    with client: ReleaseClient
  ) async throws -> LaunchPrerequisites {
    // One task for both who wait for it: the image's check does so in the middle of its own way.
    let tools = Task(executorPreference: client.loop) {
      try await ImageTools.ensure(for: target, refresh: refresh, with: client)
    }
    // A group rather than `async let`, which is waited for in the order in which it is written: the
    // first that fails is told at once, and ends the others.
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
        // The only one that can be cancelled while it waits, and it is whenever the group is.
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
