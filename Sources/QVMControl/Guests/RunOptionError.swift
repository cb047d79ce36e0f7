/// Why a `run` option can't be followed.
package enum RunOptionError: UserFacingError, Equatable {
  case badCPUCount(Int)
  case badMemory(String)
  /// Less memory than the guest can boot with; both in MiB.
  case tooLittleMemory(String, mebibytes: Int, least: Int, guest: String)
  case badCPUModel(String)
  case badAccelerator(String)
  case badPort(Int)
  case badAddress(String)
  case badTimeout(Int)
  /// A variable of the environment holds a value that its option wouldn't take.
  indirect case inVariable(String, RunOptionError)
  /// The command line has no port forward that could be changed.
  case noPortForward(program: String)

  package var message: String {
    switch self {
    case .badCPUCount(let count): "a VM can't have \(count) CPUs"
    case .badMemory(let word): "'\(word)' is no amount of memory that a VM can have"
    case .tooLittleMemory(let word, let size, let least, let guest):
      "--memory \(word) is \(size) MiB, and \(guest) needs \(least) MiB or more"
    case .badCPUModel(let word): "'\(word)' can't be a CPU model"
    case .badAccelerator(let word): "unknown accelerator '\(word)'"
    case .badPort(let port): "\(port) is not a TCP port"
    case .badAddress(let word): "'\(word)' is not an IPv4 address"
    case .badTimeout(let seconds): "a timeout can't be \(seconds) seconds"
    case .inVariable(let name, let error): "\(name): \(error.message)"
    case .noPortForward(let program): "the \(program) command line forwards no port for ssh"
    }
  }

  package var advice: String? {
    switch self {
    case .badCPUCount: "Use a number from 1 to \(RunOptionValidation.mostCPUs)."
    case .badMemory:
      "Use a size up to 1024G, such as 512M or 6G (GB and GiB mean the same); a bare number is in MiB."
    case .tooLittleMemory: "Name the unit, as in 512M or 4G; a bare number is in MiB."
    case .badCPUModel: "Use one of the names that 'qemu-system-x86_64 -cpu help' lists."
    case .badAccelerator:
      "Use any of \(RunOptionValidation.accelerators.joined(separator: ", ")), with colons between."
    case .badPort: "Use a number from 1 to 65535."
    case .badAddress: "Use four numbers, such as 127.0.0.1 for this machine only."
    case .badTimeout: "Use whole seconds from 0 to \(RunOptionValidation.longestTimeout)."
    case .inVariable(let name, let error):
      (error.advice.map { "\($0) " } ?? "") + "Or unset \(name)."
    case .noPortForward: "Leave out --ssh-port and --ssh-address."
    }
  }

  package var exitStatus: ExitStatus { .usage }
}
