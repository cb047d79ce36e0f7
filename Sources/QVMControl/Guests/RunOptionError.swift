/// An option of `run` with a value that is not valid.
package enum RunOptionError: UserFacingError, Equatable {
  case badCPUCount(Int)
  case badMemory(String)
  /// Less memory than the guest needs to boot; both in MiB.
  case tooLittleMemory(String, mebibytes: Int, least: Int, guest: String)
  case badDiskSize(String)
  /// A disk smaller than the image that it is made over; `least` is the image's size.
  case diskTooSmall(String, least: Int, guest: String)
  case badCPUModel(String)
  case badAccelerator(String)
  /// An accelerator of the other kind of host; `here` are those that work on this one.
  case foreignAccelerator(String, here: [String])
  case badPort(Int)
  case badAddress(String)
  case badTimeout(Int)
  /// An environment variable has a value that its option would not accept.
  indirect case inVariable(String, RunOptionError)
  /// The command line forwards no port that could be changed.
  case noPortForward(program: String)
  /// Not `[ADDRESS:]HOST:GUEST[/udp]`.
  case badPublish(String)
  /// A number in a port to publish that is out of range.
  case badPublishedPort(String, in: String, isGuests: Bool)
  /// QEMU's user network forwards no port of an IPv6 address.
  case ipv6Publish(String)
  /// Two ports to publish that need the same port of the host.
  case publishedTwice(String, String)
  /// A port to publish that needs the port that the user chose for ssh.
  case publishedSSHPort(String)
  /// The command line has no network in which a port could be published.
  case noUserNetwork(program: String)

  package var message: String {
    switch self {
    case .badCPUCount(let count): "\(count) is not a valid number of CPUs"
    case .badMemory(let word): "'\(word)' is not a valid memory size"
    case .tooLittleMemory(let word, let size, let least, let guest):
      "--memory \(word) is \(size) MiB, but \(guest) needs at least \(least) MiB"
    case .badDiskSize(let word): "'\(word)' is not a valid disk size"
    case .diskTooSmall(let word, let least, let guest):
      "--disk \(word) is smaller than the image of \(guest), which has \(ByteCount.binaryText(least))"
    case .badCPUModel(let word): "'\(word)' is not a valid CPU model"
    case .badAccelerator(let word): "unknown accelerator '\(word)'"
    case .foreignAccelerator(let name, _):
      "the accelerator '\(name)' exists only on \(name == "hvf" ? "macOS" : "Linux")"
    case .badPort(let port): "\(port) is not a TCP port"
    case .badAddress(let word): "'\(word)' is not an IPv4 address"
    case .badTimeout(let seconds): "\(seconds) is not a valid timeout in seconds"
    case .inVariable(let name, let error): "\(name): \(error.message)"
    case .noPortForward(let program): "the \(program) command line forwards no port for ssh"
    case .badPublish(let word): "'\(word)' is not a port to publish"
    case .badPublishedPort(let number, let word, _): "\(number) in '\(word)' is not a port"
    case .ipv6Publish(let word): "'\(word)' names an IPv6 address, on which QEMU forwards no ports"
    case .publishedTwice(let one, let other):
      "'\(one)' and '\(other)' need the same port of this host"
    case .publishedSSHPort(let word): "'\(word)' needs the port that --ssh-port names"
    case .noUserNetwork(let program):
      "the \(program) command line has no user network, so it can publish no port"
    }
  }

  package var advice: String? {
    switch self {
    case .badCPUCount: "Use a number from 1 to \(RunOptionValidation.mostCPUs)."
    case .badMemory:
      "Use a size up to 1024G, such as 512M or 6G (or 6GB, 6GiB). A plain number is in MiB."
    case .tooLittleMemory(let word, _, let least, _):
      word.last?.isNumber == true
        ? "Add the unit, as in 512M or 4G. A plain number is in MiB." : "Use at least \(least)M."
    case .badDiskSize: "Use a size up to 16T with a unit, such as 30G (or 30GB, 30GiB)."
    case .diskTooSmall: "Use a larger size, or leave out --disk."
    case .badCPUModel: "Use one of the names that 'qemu-system-x86_64 -cpu help' lists."
    case .badAccelerator:
      "Use any of \(RunOptionValidation.accelerators.joined(separator: ", ")), separated by colons."
    case .foreignAccelerator(_, let here):
      "Use \(here.joined(separator: " or ")) here, or \(here.joined(separator: ":")) for the first that works."
    case .badPort: "Use a number from 1 to 65535."
    case .badAddress: "Use four numbers, such as 127.0.0.1 to allow only this machine."
    case .badTimeout: "Use whole seconds from 0 to \(RunOptionValidation.longestTimeout)."
    case .inVariable(let name, let error):
      (error.advice.map { "\($0) " } ?? "") + "Or unset \(name)."
    case .noPortForward: "Leave out --ssh-port and --ssh-address."
    case .badPublish:
      "Use [ADDRESS:]HOST:GUEST, such as 8080:80, or 0:80 for a free port of this host. Add /udp for UDP."
    case .badPublishedPort(_, _, let isGuests):
      isGuests
        ? "Use a number from 1 to 65535 for the guest's port."
        : "Use a number from 1 to 65535, or 0 for a free port of this host."
    case .ipv6Publish: "Use an IPv4 address, such as 127.0.0.1."
    case .publishedTwice, .publishedSSHPort: "Choose another port for one of them."
    case .noUserNetwork: "Leave out --publish."
    }
  }

  package var exitStatus: ExitStatus { .usage }
}
