#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif
package import QMPClient

/// Reports when files change or are removed: its descriptor then becomes readable.
package struct FileWatch: Sendable {
  package let descriptor: Descriptor
  private let watched: [Descriptor]

  package init(_ path: String) throws(FileError) { try self.init([path]) }

  #if canImport(Darwin)
    /// Watches several files with one descriptor.
    package init(_ paths: [String]) throws(FileError) {
      let queue = kqueue()
      guard queue >= 0 else {
        throw FileError(verb: "watch", path: paths.first ?? "", cause: .last("kqueue"))
      }
      descriptor = Descriptor(owning: queue)
      var files: [Descriptor] = []
      for path in paths { files.append(try Self.watch(path, in: queue)) }
      watched = files
    }

    private static func watch(_ path: String, in queue: Int32) throws(FileError) -> Descriptor {
      let file = open(path, O_EVTONLY | O_CLOEXEC)
      guard file >= 0 else { throw FileError(verb: "watch", path: path, cause: .last("open")) }
      let descriptor = Descriptor(owning: file)
      var change = kevent(
        ident: UInt(file), filter: Int16(EVFILT_VNODE), flags: UInt16(EV_ADD | EV_CLEAR),
        fflags: UInt32(NOTE_WRITE | NOTE_EXTEND | NOTE_DELETE | NOTE_LINK), data: 0, udata: nil)
      if kevent(queue, &change, 1, nil, 0, nil) != 0 {
        throw FileError(verb: "watch", path: path, cause: .last("kevent"))
      }
      return descriptor
    }

    /// Discards the events so far.
    package func clear() {
      var event = kevent()
      var none = timespec()
      while kevent(descriptor.number, nil, 0, &event, 1, &none) > 0 {}
    }
  #else
    /// Watches several files with one descriptor. A user may have some hundred such descriptors.
    package init(_ paths: [String]) throws(FileError) {
      let queue = inotify_init1(Int32(O_NONBLOCK) | Int32(O_CLOEXEC))
      guard queue >= 0 else {
        throw FileError(verb: "watch", path: paths.first ?? "", cause: .last("inotify_init1"))
      }
      descriptor = Descriptor(owning: queue)
      watched = []
      // If a file is removed while a process has it open, only its link count changes: IN_ATTRIB.
      let events =
        UInt32(IN_MODIFY) | UInt32(IN_ATTRIB) | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF)
      for path in paths where inotify_add_watch(queue, path, events) < 0 {
        throw FileError(verb: "watch", path: path, cause: .last("inotify_add_watch"))
      }
    }

    /// Discards the events so far.
    package func clear() {
      while Files.readSome(descriptor.number) != nil {}
    }
  #endif
}
