/// The script that unpacks an archive in a guest and puts its members in their places.
///
/// The members are unpacked under random names beside their places, counted, and then renamed. So a
/// file is never seen there before it is whole. Where folders meet, the files are moved one by one.
struct UnpackScript: Sendable {
  /// A member at the top of the archive.
  struct Item: Sendable {
    /// Its name in a target that is a folder; empty for what is in it.
    let name: String
    let isFolder: Bool
  }

  /// How the target is understood.
  enum Target: Sendable {
    /// As `cp` does: into it if it is a folder, else it is the copy.
    case copy(GuestPath)
    /// It is the copy, made with the folders that lead there.
    case volume(GuestPath)
  }

  /// The random word that is in the names of the members, and before each report.
  let token: String
  let target: Target
  let items: [Item]
  /// What runs before the members are unpacked, in the folder of the target.
  var beginning = ":"
  /// What runs at the end, there too.
  var ending = ":"

  /// The name of an item in the archive.
  static func member(_ index: Int, token: String) -> String { ".qvm-\(token)-\(index)" }

  /// The name of the last member, which tells how many there are before it.
  static func mark(_ count: Int, token: String) -> String { ".qvm-\(token)-end-\(count)" }

  /// The contents of that member: a script that sets the modes of folders that take nothing.
  static func modes(_ folders: [(name: [UInt8], mode: UInt32)]) -> [UInt8] {
    folders.flatMap { name, mode in
      Array("chmod \(String(mode, radix: 8)) './".utf8)
        + name.flatMap { $0 == UInt8(ascii: "'") ? Array(#"'\''"#.utf8) : [$0] }
        + Array("'\n".utf8)
    }
  }

  /// The exit status after a report of a failure.
  static let failure: Int32 = 3

  var text: String {
    """
    LC_ALL=C; export LC_ALL
    t=.qvm-\(token)
    say() { echo "\(token) $*" >&2; }
    clean() { chmod -R u+rwx ./$t-* 2>/dev/null; rm -rf ./$t-*; }
    fail() { say "$@"; exit \(Self.failure); }
    \(GuestRoot.function)
    command -v tar >/dev/null 2>&1 || fail notar
    \(entering)
    \(beginning)
    trap 'clean; exit 143' HUP INT TERM PIPE
    undo() { clean; fail "$@"; }
    (umask 0; tar -xpf - >/dev/null)
    s=$?
    set -- ./$t-end-*
    if [ ! -e "$1" ]; then
      [ $s != 0 ] || s=cut
    else
      . "$1"
      rm -f "$1"
      n=0
      for c in $(find ./$t-[0-9]* -exec /bin/sh -c 'echo $#' sh {} +); do n=$((n+c)); done
      [ $s != 0 ] || [ $n = "${1##*-}" ] || undo incomplete $n "${1##*-}"
    fi
    [ $s = 0 ] || { say df "$(df -P . 2>/dev/null | sed -n '$p')"; undo tar $s; }
    merge() (
      chmod u+wx "$1"
      # What may take nothing now may not afterwards either.
      c=
      [ -w "$2" ] || { chmod u+w "$2" && c=1; }
      find "$1/." ! -name . -prune ! -type d \\
        -exec /bin/sh -c 'd=$1; shift; exec mv -f "$@" "$d"' sh "$2/" {} +
      k=$?
      for e in "$1"/*/ "$1"/.[!.]*/ "$1"/..?*/; do
        e=${e%/}
        if [ -d "$e" ] && [ ! -h "$e" ]; then place "$e" "$2/${e##*/}" || k=1; fi
      done
      [ -z "$c" ] || chmod u-w "$2"
      exit $k
    )
    place() {
      if [ -d "$1" ] && [ ! -h "$1" ]; then
        if [ -d "$2" ]; then merge "$1" "$2"; return; fi
        if [ -e "$2" ] || [ -h "$2" ]; then say occupied "$2"; return 1; fi
      elif [ -h "$2" ]; then rm -f "$2"
      elif [ -d "$2" ]; then say occupied "$2"; return 1
      fi
      mv -f "$1" "$2"
    }
    \(placing)
    left=$(find ./$t-* ! -type d -exec echo x {} + 2>/dev/null)
    [ -z "$left" ] || undo rest
    clean
    \(ending)
    exit 0
    """
  }

  /// Enters the folder in which the members are unpacked; `into` is set if they get their own names.
  private var entering: String {
    switch target {
    case .copy(let path):
      let target = path.word
      let file = items.first.map { !$0.isFolder } ?? false
      return """
        into=
        if [ -d \(target) ]; then
          cd \(target) || fail nofolder; into=1
        else
          \(items.count > 1 ? "fail several" : ":")
          \(path.isFolder && (file || path.isContents) ? "fail notfolder" : ":")
          \(file ? ":" : "if [ -e \(target) ] || [ -h \(path.plain.word) ]; then fail occupied; fi")
          cd \(path.parent.word) 2>/dev/null || fail noparent
        fi
        """
    case .volume(let path):
      let folder = items.first?.isFolder == true ? path : path.parent
      return """
        into=1
        d=\(folder.word)
        if [ ! -d "$d" ] && ! mkdir -p "$d" 2>/dev/null; then
          as_root && $r mkdir -p "$d" && $r chown "$(id -u):$(id -g)" "$d" || mkdir -p "$d" || fail made
        fi
        cd "$d" || fail made
        """
    }
  }

  private var placing: String {
    items.enumerated().map { index, item in
      let member = "./\(Self.member(index, token: token))"
      let own = item.name.isEmpty ? "." : LoginShell.quoted("./\(item.name)")
      let call =
        switch target {
        case .copy(let path):
          "if [ $into ]; then place \(member) \(own); else place \(member)"
            + " \(LoginShell.quoted("./\(path.lastName)")); fi"
        case .volume: "place \(member) \(own)"
        }
      return "\(call) || undo rest"
    }
    .joined(separator: "\n")
  }

  /// What a report of the script says; nil for one that is no failure.
  func problem(_ reports: [String], _ messages: [String]) -> CopyError.GuestProblem? {
    let path =
      switch target {
      case .copy(let path), .volume(let path): path
      }
    let first = messages.first { !$0.isEmpty } ?? "exit status \(Self.failure)"
    for report in reports {
      let words = report.split(separator: " ").map(String.init)
      switch words.first {
      case "notar": return .noTar
      case "several": return .several
      case "notfolder": return .notFolder(path.text)
      case "noparent": return .noFolder(path.parent.text)
      case "occupied":
        let place = report.split(separator: " ", maxSplits: 1).dropFirst().first.map(String.init)
        return .occupied(place ?? path.text)
      case "incomplete":
        return .incomplete(
          got: words.dropFirst().first.flatMap { Int($0) } ?? 0,
          of: words.last.flatMap { Int($0) } ?? 0)
      case "tar" where messages.contains(where: { $0.contains("No space left") }):
        let disk = reports.first { $0.hasPrefix("df ") }?.split(separator: " ").last ?? ""
        return .full(place: disk.hasPrefix("/") ? String(disk) : path.text)
      case "tar" where words.last == "cut": return .failed("the archive ended too early")
      case "tar", "rest", "made", "nofolder": return .failed(first)
      default: continue
      }
    }
    return nil
  }
}

/// How a script becomes root in a guest.
enum GuestRoot {
  /// A function that sets `r` to the words before a command that is to run as root. It fails if there is no
  /// way without a password.
  static let function = """
    as_root() {
      if [ "$(id -u)" = 0 ]; then r=; return; fi
      for r in 'sudo -n' 'doas -n'; do $r true 2>/dev/null && return; done
      return 1
    }
    """
}
