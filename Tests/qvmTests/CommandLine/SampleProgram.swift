import QVMControl

@testable import qvm

/// A command with every kind of row.
struct SampleRun: Command, Equatable {
  static let name = "run"
  static let summary = "Boot a guest."
  static let discussion: String? = """
    This paragraph is written on two lines, and help fills them to the width of the page so that \
    it can be told
    that they were two.

      qvm run freebsd 14.2    is kept as it is
    """
  static let parameters: [Parameter<Self>] = [
    .argument("OS", "The operating system.", completing: .operatingSystems) {
      $0.operatingSystem = $1
    },
    .argument("VERSION", "Its version.") { $0.version = $1 },
    .option("--name", "NAME", "The instance's name.", completing: .instances) { $0.instance = $1 },
    .option("--cpus", short: "-n", "N", "Virtual CPUs.") { $0.cpus = $1 },
    .option("--shutdown-timeout", "SECONDS", "How long a shutdown may take.") { $0.timeout = $1 },
    .option("--qemu-arg", "ARG", "One more word for QEMU.") { $0.words.append($1) },
    .option("--colour", "WHEN", "Whether to colour.") { $0.colour = $1 },
    .option("--record", "FILE", "Where to record.", completing: .files) { $0.record = $1 },
    .flag("--rm", "Delete the instance after shutdown.") { $0.removes = true },
    .flag("--detach", short: "-d", "Return at once.") { $0.detaches = true },
    .trailing("COMMAND", "Run this in the guest.") { $0.command.append($1) },
  ]

  enum Colour: String, CaseIterable, ParameterValue { case always, never }

  var operatingSystem = ""
  var version = ""
  var instance: String?
  var cpus: Int?
  var timeout = 120
  var words: [String] = []
  var colour = Colour.never
  var record: String?
  var removes = false
  var detaches = false
  var command: [String] = []

  func run() throws -> ExitStatus { .done }
}

struct SampleRemove: Command, Equatable {
  static let name = "rm"
  static let aliases = ["delete"]
  static let summary = "Remove instances."
  static let parameters: [Parameter<Self>] = [
    .arguments("NAME", "The instances.", completing: .instances) { $0.instances.append($1) }
  ]

  var instances: [String] = []

  func run() throws -> ExitStatus { .done }
}

struct SampleLog: Command, Equatable {
  static let name = "log"
  static let summary = "Show what happened."
  static let parameters: [Parameter<Self>] = [
    .argument("LINES", orNone: true, "How many lines.") { $0.lines = $1 },
    .arguments("NAME", orNone: true, "Of these only.") { $0.instances.append($1) },
  ]

  var lines: Int?
  var instances: [String] = []

  func run() throws -> ExitStatus { .done }
}

struct SamplePath: Command, Equatable {
  static let name = "config print-path"
  static let summary = "Print the path."

  func run() throws -> ExitStatus { .done }
}

/// A command whose name is the first word of another's.
struct SampleImage: Command, Equatable {
  static let name = "image"
  static let summary = "Show one image."
  static let parameters: [Parameter<Self>] = [.argument("NAME", "The image.") { $0.image = $1 }]

  var image = ""

  func run() throws -> ExitStatus { .done }
}

struct SampleImageList: Command, Equatable {
  static let name = "image list"
  static let summary = "List the images."

  func run() throws -> ExitStatus { .done }
}

extension qvm.Program {
  static let sample = qvm.Program(
    name: "qvm", version: "1.2.3", summary: "Runs guests.",
    usage: ["qvm run [OPTIONS] <OS> <VERSION>"],
    commands: [
      SampleRun.self, SampleRemove.self, SampleLog.self, SamplePath.self, SampleImage.self,
      SampleImageList.self,
    ],
    sections: {
      [
        HelpSection(
          title: "Environment",
          rows: [
            HelpRow(
              "QVM_CACHE", "Where everything is kept, which is a place that takes some telling."),
            HelpRow("A_NAME_FAR_TOO_LONG_FOR_A_COLUMN", "Stands alone."),
          ]),
        HelpSection(title: "Examples", rows: [HelpRow("qvm run --rm freebsd 14.2")]),
      ]
    },
    instanceNames: { ["web", "db"] })
}
