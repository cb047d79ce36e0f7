/// The script that writes files and folders of a guest to standard output, as one archive after the other.
struct PackScript: Sendable {
  let token: String
  let sources: [GuestPath]
  /// Whether the target can hold one source alone, because it doesn't exist.
  var takesOne = false
  /// Whether the source must be a folder, because the target ends with a slash.
  var needsFolder = false
  /// Whether the source must not be a folder, because a file is in the place of the target.
  var needsFile = false
  /// Whether what isn't there is passed over, and what the user can't read is read as root.
  var isLenient = false

  /// The exit status after a report of a failure.
  static let failure: Int32 = 3

  var text: String {
    """
    LC_ALL=C; export LC_ALL
    \(functions)
    fail() { say "$@"; exit \(Self.failure); }
    command -v tar >/dev/null 2>&1 || fail notar
    \(isLenient ? lenient : strict)
    exit $s
    """
  }

  /// `there` looks for a path. `pack` writes one, which has a slash, and counts its members before.
  private var functions: String {
    """
    s=0
    say() { echo "\(token) $*" >&2; }
    there() { [ -e "$1" ] || [ -h "$1" ]; }
    pack() {
      case $1 in
        */. | */.. | /) cd "$1" && n=. ;;
        */) cd "$1" && p=$(pwd -P) && if [ "$p" = / ]; then n=.; else
          cd "${p%/*}/" && n=./${p##*/}; fi ;;
        *) cd "${1%/*}/" && n=./${1##*/} ;;
      esac || return 1
      c=0
      for k in $(find "$n" \\( -type f -o -type d -o -type l \\) \\
        -exec /bin/sh -c 'echo $#' sh {} + 2>/dev/null); do c=$((c+k)); done
      say members $c
      tar -cf - "$n"
    }
    """
  }

  /// All sources are looked for first. One that isn't there may be a pattern.
  private var strict: String {
    """
    set --
    \(sources.map { source in
      """
      p=\(source.word)
      if there "$p"; then set -- "$@" "$p"; else
        k=$#; IFS=
        for q in $p; do if there "$q"; then set -- "$@" "$q"; fi; done
        unset IFS
        [ $# -gt $k ] || fail missing \(LoginShell.quoted(source.text))
      fi
      """
    }.joined(separator: "\n"))
    \(takesOne ? "[ $# -le 1 ] || fail several" : ":")
    \(needsFolder ? "[ -d \"$1\" ] || fail notfolder" : ":")
    \(needsFile ? "[ ! -d \"$1\" ] || [ -h \"$1\" ] || fail isfolder" : ":")
    for q in "$@"; do (pack "$q") || s=$?; done
    """
  }

  /// Each source is for itself: root looks for what the user doesn't see or can't read.
  private var lenient: String {
    let worker = """
      \(functions)
      if there "$1"; then pack "$1"; exit; fi
      IFS=; k=
      for q in $1; do if there "$q"; then k=1; (unset IFS; pack "$q") || s=$?; fi; done
      [ $k ] || exit \(Self.failure)
      exit $s
      """
    return """
      \(GuestRoot.function)
      w=\(LoginShell.quoted(worker))
      one() {
        p=$1
        if there "$p"; then set -- "$p"; else
          IFS=; set -- $p; unset IFS
          there "$1" || set --
        fi
        if [ $# -gt 0 ] && [ -z "$(find "$@" ! -type l \\
          -exec /bin/sh -c 'for f do [ -r "$f" ] || echo x; done' sh {} + 2>&1)" ]
        then /bin/sh -c "$w" sh "$p"; return; fi
        if as_root; then $r /bin/sh -c "$w" sh "$p"; return; fi
        [ $# -gt 0 ] || return \(Self.failure)
        say unread
        /bin/sh -c "$w" sh "$p"
      }
      \(sources.enumerated().map { index, source in
        """
        one \(source.word); k=$?
        case $k in 0) ;; \(Self.failure)) say absent \(index) ;; *) s=$k ;; esac
        """
      }.joined(separator: "\n"))
      """
  }

  /// What a report of the script says; nil for one that is no failure.
  func problem(_ reports: [String]) -> CopyError.GuestProblem? {
    for report in reports {
      let parts = report.split(separator: " ", maxSplits: 1).map(String.init)
      switch parts.first {
      case "notar": return .noTar
      case "several": return .several
      case "notfolder": return .notFolder(sources.first?.text ?? "")
      case "missing": return .missing(parts.dropFirst().first ?? "")
      default: continue
      }
    }
    return nil
  }

  /// The sources that a lenient script didn't find.
  func absent(_ reports: [String]) -> [GuestPath] {
    reports.compactMap { report in
      guard report.hasPrefix("absent "), let index = Int(report.dropFirst("absent ".count)),
        sources.indices.contains(index)
      else { return nil }
      return sources[index]
    }
  }

  /// How many members the guest counted; nil if it counted none.
  static func members(_ reports: [String]) -> Int? {
    let counts = reports.compactMap { report in
      report.hasPrefix("members ") ? Int(report.dropFirst("members ".count)) : nil
    }
    return counts.isEmpty ? nil : counts.reduce(0, +)
  }
}
