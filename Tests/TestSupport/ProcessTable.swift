import Foundation

/// The processes of this machine, by `/proc`: every test looks through all of them, some many times,
/// so it is done with two buffers and without a copy.
struct ProcessTable: ~Copyable {
  private let command = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 1)
  private let environment = UnsafeMutableRawBufferPointer.allocate(
    byteCount: 256 << 10, alignment: 1)

  deinit {
    command.deallocate()
    environment.deallocate()
  }

  /// The processes whose command line or environment is wanted, each with its first four arguments.
  ///
  /// - Parameter isWanted: Gets the bytes of both, with a zero after each part.
  /// - Returns: Each with its pid.
  func select(
    _ isWanted: (_ command: UnsafeRawBufferPointer, _ environment: UnsafeRawBufferPointer) -> Bool
  ) -> [(pid: Int32, command: String)] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { entry in
      guard let pid = Int32(entry) else { return nil }
      let command = Self.read("/proc/\(entry)/cmdline", into: command)
      // The kernel's own, and what has ended, have none.
      guard !command.isEmpty else { return nil }
      let environment = Self.read("/proc/\(entry)/environ", into: environment)
      guard isWanted(command, environment) else { return nil }
      let words = command.split(separator: 0).prefix(4).map { String(decoding: $0, as: UTF8.self) }
      return (pid, words.joined(separator: " "))
    }
  }

  /// What fits of a file; nothing where it can't be read.
  private static func read(
    _ path: String, into buffer: UnsafeMutableRawBufferPointer
  ) -> UnsafeRawBufferPointer {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0, let base = buffer.baseAddress else {
      return UnsafeRawBufferPointer(rebasing: buffer[..<0])
    }
    defer { close(file) }
    var count = 0
    // One place is kept for a zero at the end.
    while count < buffer.count - 1 {
      let more = Glibc.read(file, base + count, buffer.count - 1 - count)
      if more <= 0 { break }
      count += more
    }
    buffer[count] = 0
    return UnsafeRawBufferPointer(rebasing: buffer[..<count])
  }
}

extension UnsafeRawBufferPointer {
  /// Whether one of the texts in these bytes, each of which ends with a zero, holds another text.
  func holds(_ text: String) -> Bool {
    guard let base = baseAddress?.assumingMemoryBound(to: CChar.self) else { return false }
    return text.withCString { text in
      var start = 0
      while start < count {
        if strstr(base + start, text) != nil { return true }
        start += strlen(base + start) + 1
      }
      return false
    }
  }
}
