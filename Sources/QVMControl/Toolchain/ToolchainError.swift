/// A QEMU, or a part of it, that is missing or cannot be used.
package enum ToolchainError: UserFacingError, Hashable {
  case badChoice(String)
  case noFolder(String)
  /// `QVM_QEMU` names a folder without that file.
  case incompleteFolder(String, missing: String)
  case managedUnavailable(host: String)
  case qemuMissing(Architecture)
  case qemuImgMissing
  case firmwareMissing(String, Architecture, program: String)
  /// A file that is not the firmware that it should be; `why` is the end of the sentence.
  case badFirmware(path: String, why: String)
  /// `why` is the program's own message.
  case cannotRun(program: String, why: String)
  /// A `qemu-img` that could not check an image.
  case cannotCheck(program: String, name: String, why: String)

  package var message: String {
    switch self {
    case .badChoice(let text):
      "QVM_QEMU='\(text)' is neither auto, managed, system nor the path of a folder"
    case .noFolder(let path): "QVM_QEMU names \(path), which does not exist"
    case .incompleteFolder(let folder, let missing):
      "QVM_QEMU names \(folder), which has no \(missing)"
    case .managedUnavailable(let host): "there is no QEMU for \(host) to download"
    case .qemuMissing(let architecture):
      "qemu-system-\(architecture.qemuTarget) is not installed"
    case .qemuImgMissing: "qemu-img is not installed"
    case .firmwareMissing(let name, let architecture, let program):
      "the firmware \(name) for \(architecture.rawValue) guests is not installed with \(program)"
    case .badFirmware(let path, let why): "\(path) \(why)"
    case .cannotRun(let program, let why): "\(program) does not run: \(why)"
    case .cannotCheck(let program, let name, let why):
      "\(program) cannot check \(name): \(why)"
    }
  }

  package var advice: String? {
    switch self {
    case .badChoice:
      "Set it to auto, managed, system, or the path of a folder with bin/ and share/qemu/."
    case .noFolder, .incompleteFolder:
      "Name a folder with bin/qemu-system-… and share/qemu/, or unset QVM_QEMU."
    case .managedUnavailable: "Install QEMU on this system and unset QVM_QEMU."
    case .qemuMissing(let architecture): PackageManager.advice(for: .qemu(architecture))
    case .qemuImgMissing: PackageManager.advice(for: .qemuImg)
    case .firmwareMissing(let name, let architecture, _):
      PackageManager.advice(
        for: name == Firmware.bios.rawValue ? .bios : .uefi(architecture))
    case .badFirmware(let path, _):
      "Remove \(path) and run the command again, or set QVM_QEMU=system."
    case .cannotRun, .cannotCheck:
      "Set QVM_QEMU=system to use this system's QEMU, or QVM_QEMU=managed to download one."
    }
  }

  package var exitStatus: ExitStatus {
    switch self {
    case .badChoice, .noFolder, .incompleteFolder: .usage
    default: .failed
    }
  }
}
