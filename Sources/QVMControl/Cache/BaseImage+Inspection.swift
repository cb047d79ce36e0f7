internal import QMPClient

/// What is looked at before a file is taken for a base image.
extension BaseImage {
  /// Makes sure that a file is an image that needs no other.
  static func checkHeader(of file: String, name: String) throws(ImageError) {
    do throws(Qcow2Header.Problem) {
      let head = (try? Files.head(of: file, count: Qcow2Header.length)) ?? []
      _ = try Qcow2Header(head)
    } catch {
      throw ImageError.unusable(name: name, error)
    }
  }

  /// Makes sure that all of an image is there, and right.
  static func check(
    _ file: String, name: String, with tools: ImageTools, on loop: EventLoop
  ) async throws {
    let output = try await Program.run(
      tools.qemuImg, ["check", "-q", "-f", "qcow2", file], environment: ToolEnvironment.entries,
      within: Program.longTime, on: loop)
    // 3 is space that belongs to nothing: a waste, but all that the guest reads is right.
    if output.end == .exited(0) || output.end == .exited(3) { return }
    throw ImageError.corrupt(name: name, why: output.complaint)
  }
}
