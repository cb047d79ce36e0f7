internal import QMPClient

/// The files of a command in a guest: what is copied in before it, and what comes back after it.
package struct CommandFiles: Sendable {
  package var volumes: [Volume] = []
  package var outputs: [OutputPath] = []
  /// What is left out of the volumes, in both directions.
  package var excluded: [FilePattern] = []
  /// Whether what git ignores is copied in, too.
  package var takesAll = false
  /// The folder that the command starts in; nil for the home.
  package var folder: GuestPath?
  /// Shows how far the copies are.
  package var progress = ProgressReporter.silent

  package init() {}

  package var isEmpty: Bool { volumes.isEmpty && outputs.isEmpty }

  /// Where the current folder of this process is in the guest; nil if it is in no volume.
  package var placeOfWorkingFolder: GuestPath? {
    guard let here = Host.workingFolder else { return nil }
    // The innermost volume that has it.
    return volumes.sorted { $0.path.utf8.count > $1.path.utf8.count }
      .lazy.compactMap { $0.place(of: here) }.first
  }

  /// What was copied in, to be compared with what the command leaves.
  struct Arrival: Sendable {
    let volume: Volume
    let baseline: VolumeBaseline
    /// The random word of its copy.
    let copy: String
  }

  struct CopiedIn: Sendable {
    /// The volumes whose changes are to come back.
    let arrivals: [Arrival]
    let report: CopyReport
  }

  struct CopiedBack: Sendable {
    let volumes: CopyReport
    let outputs: CopyReport
  }

  /// Copies the volumes into the guest, one after the other.
  ///
  /// - Throws: ``CopyError``, ``FileError``, ``SpawnError``; `CancellationError`.
  func copyIn(by transfer: GuestTransfer) async throws -> CopiedIn {
    var arrivals: [Arrival] = []
    var report = CopyReport()
    for volume in volumes {
      // Contents: the place of the volume is the copy itself.
      var source = try HostSource(
        volume.isFolder ? "\(volume.path)/." : volume.path, excluding: excluded,
        named: volume.isFolder ? "" : volume.guest.lastName)
      if !takesAll { try await source.selectByGit(on: transfer.loop) }
      let options = source.options
      let baseline: VolumeBaseline? =
        volume.isWritable
        ? try await BlockingWork { try VolumeBaseline(of: volume, options) }.result().get() : nil
      var copy = try CopyIntoGuest([source], .volume(volume.guest), by: shown(transfer, volume))
      if let baseline {
        copy.beginning = ChangesScript.beginning(copy.token)
        copy.ending = ChangesScript.ending(volume, copy.token)
        arrivals.append(Arrival(volume: volume, baseline: baseline, copy: copy.token))
      }
      if let below = Host.workingFolder.flatMap({ volume.pathBelow($0) }), !below.isEmpty {
        copy.ending = "mkdir -p \(LoginShell.quoted("./\(below)")); \(copy.ending)"
      }
      progress(label(volume), .began(done: 0, total: nil))
      do {
        let copied = try await copy.run()
        progress(label(volume), .ended(complete: copied.isComplete))
        report.add(copied)
      } catch {
        progress(label(volume), .ended(complete: false))
        throw error
      }
    }
    return CopiedIn(arrivals: arrivals, report: report)
  }

  /// Copies what has changed back, and fetches the outputs. Each is tried, whatever becomes of the others.
  ///
  /// - Returns: What came. A volume that didn't come back is a loss of `volumes`; an output, of `outputs`.
  func copyBack(
    _ arrivals: [Arrival], by transfer: GuestTransfer
  ) async -> CopiedBack {
    var (changes, fetched) = (CopyReport(), CopyReport())
    for arrival in arrivals {
      do {
        let returning = VolumeReturn(arrival: arrival, transfer: transfer, excluded: excluded)
        changes.add(try await returning.run())
      } catch {
        changes.losses.append(Self.missing(arrival.volume, why: error))
      }
    }
    for output in outputs {
      do {
        var copy = try CopyFromGuest([output.path(in: folder)], to: output.host, by: transfer)
        copy.isLenient = true
        fetched.add(try await copy.run())
      } catch {
        fetched.losses.append("--output \(output.guest.text): \(error.messageForUser)")
      }
    }
    return CopiedBack(volumes: changes, outputs: fetched)
  }

  /// What is said of a volume whose changes did not come back.
  static func missing(_ volume: Volume, why error: (any Error)? = nil) -> String {
    "what the command changed in '\(volume.given)' was not copied back"
      + (error.map { $0 is CancellationError ? ": interrupted" : ": \($0.messageForUser)" } ?? "")
  }

  private func label(_ volume: Volume) -> String { "\(volume.given) → guest" }

  private func shown(_ transfer: GuestTransfer, _ volume: Volume) -> GuestTransfer {
    var transfer = transfer
    let (progress, label) = (progress, label(volume))
    transfer.progress = { progress(label, .advanced(to: $0)) }
    return transfer
  }
}
