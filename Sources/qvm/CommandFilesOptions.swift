import QVMControl

/// What is copied before a command in a guest and after it, as options of `run`.
struct CommandFilesOptions: Sendable {
  var volumes: [String] = []
  var outputs: [String] = []
  var excluded: [String] = []
  var takesAll = false

  /// The first of the options that was given.
  var given: String? {
    if !volumes.isEmpty { return "--volume" }
    if !outputs.isEmpty { return "--output" }
    if !excluded.isEmpty { return "--exclude" }
    return takesAll ? "--all" : nil
  }

  /// The files, checked as far as they can be without the guest.
  ///
  /// - Parameter folder: The guest's folder that was named for the command; nil for that to which the current
  ///   folder is mapped, or else the home.
  /// - Returns: The files.
  /// - Throws: ``Volume/Failure``, ``CopyError``.
  func files(in folder: String?) throws -> CommandFiles {
    var files = CommandFiles()
    files.volumes = try volumes.map { try Volume($0) }
    try Volume.check(files.volumes)
    files.outputs = try outputs.map { try OutputPath($0) }
    files.excluded = excluded.map(FilePattern.init)
    files.takesAll = takesAll
    files.folder = folder.map { GuestPath($0) } ?? files.placeOfWorkingFolder
    return files
  }
}
