import Testing

@testable import qvm

@Suite struct HelpTests {
  @Test func `the program's help lists commands, options and the rest in columns`() {
    #expect(
      Program.sample.help == """
        qvm 1.2.3: Runs guests.

        Usage:
          qvm run [OPTIONS] <OS> <VERSION>

        Commands:
          run                Boot a guest.
          rm                 Remove instances.
          log                Show what happened.
          config print-path  Print the path.
          image              Show one image.
          image list         List the images.

        Options:
          -h, --help  Print this help, or the help of a command, and exit.
          --version   Print the version and exit.

        Environment:
          QVM_CACHE  Where everything is kept, which is a place that takes some telling.
          A_NAME_FAR_TOO_LONG_FOR_A_COLUMN
                     Stands alone.

        Examples:
          qvm run --rm freebsd 14.2

        """)
  }

  @Test func `a command's help comes from its table`() {
    #expect(
      Program.sample.help(for: SampleRun.self)
        == """
        Usage:
          qvm run [OPTIONS] <OS> <VERSION> [-- <COMMAND>...]

        Boot a guest.

        This paragraph is written on two lines, and help fills them to the width of the
        page so that it can be told that they were two.

          qvm run freebsd 14.2    is kept as it is

        Arguments:
          <OS>             The operating system.
          <VERSION>        Its version.
          -- <COMMAND>...  Run this in the guest.

        Options:
          --name <NAME>     The instance's name.
          -n, --cpus <N>    Virtual CPUs.
          --shutdown-timeout <SECONDS>
                            How long a shutdown may take.
          --qemu-arg <ARG>  One more word for QEMU.
          --colour <WHEN>   Whether to colour.
          --record <FILE>   Where to record.
          --rm              Delete the instance after shutdown.
          -d, --detach      Return at once.
          -h, --help        Print this help and exit.

        """)
  }

  @Test func `usage shows which arguments may be missing or repeated`() {
    #expect(Program.sample.help(for: SampleLog.self).contains("  qvm log [<LINES>] [<NAME>...]\n"))
    #expect(Program.sample.help(for: SampleRemove.self).contains("  qvm rm <NAME>...\n"))
  }

  @Test func `a command's other names are told in its own help only`() {
    #expect(Program.sample.help(for: SampleRemove.self).hasSuffix("\nAlso called:\n  delete\n"))
    #expect(!Program.sample.help.contains("delete"))
  }

  @Test func `no line is wider than a terminal`() {
    for program in [Program.sample, QVM.program] {
      let pages = [program.help] + program.commands.map(program.help(for:))
      for line in pages.joined().split(separator: "\n") {
        #expect(line.count <= 80, "\(line)")
      }
    }
  }

  @Test func `a word longer than the page has a line to itself`() {
    let word = String(repeating: "x", count: 90)
    var page = HelpPage()
    page.add(paragraphs: "a \(word) b")

    #expect(page.text == "a\n\(word)\nb\n")
  }

  @Test(arguments: [(79, "\n"), (78, " ")])
  func `a line is filled to the last column, and no further`(length: Int, separator: String) {
    let word = String(repeating: "x", count: length)
    var page = HelpPage()
    page.add(paragraphs: "\(word) b")

    #expect(page.text == "\(word)\(separator)b\n")
  }

  @Test func `a section without rows is left out`() {
    var page = HelpPage()
    page.add(HelpSection(title: "Nothing", rows: []))
    page.add(HelpSection(title: "Some", rows: [HelpRow("a", "b")]))

    #expect(page.text == "Some:\n  a  b\n")
  }
}
