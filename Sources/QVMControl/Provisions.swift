internal import QMPClient

/// What a new instance is made of.
package struct Provisions: Sendable {
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
  ) async throws -> Provisions {
    // A task rather than `async let`: the image's check waits for it in the middle of its own way.
    let tools = Task(executorPreference: client.loop) {
      try await ImageTools.ensure(for: target, refresh: refresh, with: client)
    }
    return try await withTaskCancellationHandler {
      do {
        async let toolchain = QEMUToolchain.ensure(for: target, refresh: refresh, with: client)
        async let image = BaseImage.ensure(
          target, refresh: refresh, release: release, with: client
        ) { try await tools.value }
        return Provisions(
          toolchain: try await toolchain, baseImage: try await image,
          imageTools: try await tools.value)
      } catch {
        tools.cancel()
        _ = await tools.result
        throw error
      }
    } onCancel: {
      tools.cancel()
    }
  }
}
