internal import QMPClient

/// What is looked at before a file is taken for a base image.
extension BaseImage {
  /// Makes sure that a file is an image that needs no other.
  ///
  /// - Throws: ``ImageError`` `unusable`; ``FileError`` where it can't be read.
  static func checkHeader(of file: String, name: String) throws {
    let head = try Files.head(of: file, count: Qcow2Header.length)
    do throws(Qcow2Header.Problem) { _ = try Qcow2Header(head) } catch {
      throw ImageError.unusable(name: name, error)
    }
  }

  /// Makes sure that all of an image is there, and right.
  ///
  /// - Throws: ``ImageError`` `corrupt`; ``ToolchainError`` `cannotCheck` where that can't be told;
  ///   `CancellationError`.
  static func check(
    _ file: String, name: String, with tools: ImageTools, on loop: EventLoop
  ) async throws {
    let output: Program.Output
    do {
      output = try await Program.run(
        tools.qemuImg, ["check", "-q", "-f", "qcow2", file], environment: ToolEnvironment.entries,
        within: Program.longTime, on: loop)
    } catch let error as SpawnError {
      throw ToolchainError.cannotCheck(
        program: tools.qemuImg, name: name, why: error.cause.reason)
    }
    // The statuses are those of `man qemu-img`.
    switch output.end {
    // 3 is space that belongs to nothing: a waste, but all that the guest reads is right.
    case .exited(0), .exited(3): return
    case .exited(2): throw ImageError.corrupt(name: name, why: output.complaint)
    // It could not so much as begin; an image that takes a newer program is no damaged one.
    case .exited(1)
    where ["Could not open '\(file)'", "Check failed"].contains(where: output.complaint.contains)
      && !["nsupported", "Permission denied"].contains(where: output.complaint.contains):
      throw ImageError.corrupt(name: name, why: output.complaint)
    // Whatever else says something about the program.
    default:
      throw ToolchainError.cannotCheck(
        program: tools.qemuImg, name: name, why: output.complaint)
    }
  }
}
