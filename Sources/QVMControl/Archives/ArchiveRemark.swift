package import QMPClient

/// What didn't get into an archive or out of it as it was, or not at all. The rest goes on.
package struct ArchiveRemark: Sendable, Hashable {
  package enum Problem: Sendable, Hashable {
    /// A socket, a pipe or a device: no copy of it makes sense.
    case special
    /// It was there when its folder was listed, or it is on the list of paths, but it is gone.
    case vanished
    /// It became so many bytes shorter while it was read. They are zeros in the archive.
    case shrunk(missing: Int)
    /// So many bytes at its end couldn't be read. They are zeros in the archive.
    case unread(SystemError, missing: Int)
    /// It became longer while it was read. The archive has its first part.
    case grown
    /// Its contents changed while they were read, and may be a mixture.
    case changed
    /// So many bytes of it are holes, which were written as zeros.
    case holes(Int)
    /// It has more bytes than the format can express.
    case tooBig
    /// A system call failed.
    case failed(SystemError)
    /// The archive names a place outside the target, or none at all.
    case outside
    /// A name or a link's target that is longer than ``TarFormat/longestName``.
    case nameTooLong
    /// A link is in the place of a folder that leads there.
    case throughLink
    /// A folder is where a file should be, or the other way round.
    case occupied
    /// A hard link to something that isn't a file of the target.
    case badHardLink
    /// A type of member that isn't a file, a folder or a link.
    case unsupported(type: UInt8)
  }

  /// The path in the archive.
  package let name: [UInt8]
  package let problem: Problem

  package init(_ name: [UInt8], _ problem: Problem) {
    self.name = name
    self.problem = problem
  }

  /// Whether something is missing or wrong in the copy. A socket or a hole isn't.
  package var isLoss: Bool {
    switch problem {
    case .special, .holes: false
    default: true
    }
  }

  /// One line: the name and what happened.
  package var text: String {
    "\(ForeignText.line(String(decoding: name, as: UTF8.self))): \(problem.text)"
  }
}

extension ArchiveRemark.Problem {
  var text: String {
    switch self {
    case .special: "left out: it is a socket, a pipe or a device"
    case .vanished: "left out: it is gone"
    case .shrunk(let missing):
      "it shrank while it was read; its last \(ByteCount.text(missing)) are zeros"
    case .unread(let error, let missing):
      "its last \(ByteCount.text(missing)) are zeros: \(error.explanation)"
    case .grown: "it grew while it was read; what was added is missing"
    case .changed: "it changed while it was read"
    case .holes(let count): "it has holes; \(ByteCount.text(count)) of zeros were copied"
    case .tooBig: "left out: it has 64 GiB or more"
    case .failed(let error): "left out: \(error.explanation)"
    case .outside: "refused: its name leads out of the target folder"
    case .nameTooLong: "refused: its name is longer than \(TarFormat.longestName) bytes"
    case .throughLink: "refused: a part of its path is a link or no folder"
    case .occupied: "refused: a folder is in the place of a file, or a file in that of a folder"
    case .badHardLink: "refused: it is a hard link to something that is no file of the target"
    case .unsupported(let type):
      "refused: it is a device, a pipe or something unknown (type \(type))"
    }
  }
}
