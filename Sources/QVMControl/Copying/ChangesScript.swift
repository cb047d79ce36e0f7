/// The script that writes to standard output what has changed in a volume since it was copied in.
///
/// Changed is what has a later time than a stamp of before the copy, or where the guest's `find` can tell, what
/// was changed in any way since; and what has a new name.
struct ChangesScript: Sendable {
  /// The random word of the copy into the guest, which is in the name of the folder of stamps.
  let copy: String
  let token: String
  let volume: Volume

  /// The files that the script sends beside those of the volume.
  static func list(_ kind: String, token: String) -> String { ".qvm-\(token)-\(kind)" }

  private static func folder(_ copy: String) -> String { "/tmp/.qvm-\(copy).d" }

  /// What is searched, in the folder that ``entering`` enters.
  private static func root(_ volume: Volume) -> String {
    volume.isFolder ? "." : LoginShell.quoted("./\(volume.guest.lastName)")
  }

  private static func listing(_ volume: Volume) -> String {
    "find \(root(volume)) -name .git -prune -o -print 2>/dev/null | sort"
  }

  /// What the copy into the guest does before it unpacks.
  static func beginning(_ copy: String) -> String {
    "w=\(folder(copy)); (umask 077; mkdir $w && : >$w/stamp) || fail made"
  }

  /// What it does at the end. Some systems compare times by whole seconds.
  static func ending(_ volume: Volume, _ copy: String) -> String {
    "sleep 1; : >$w/ready; \(listing(volume)) >$w/list"
  }

  var text: String {
    let (root, w) = (Self.root(volume), Self.folder(copy))
    let place = volume.isFolder ? volume.guest : volume.guest.parent
    let lists = ["dirs", "gone", "git"].map { Self.list($0, token: token) }
    return """
      LC_ALL=C; export LC_ALL
      say() { echo "\(token) $*" >&2; }
      w=\(w)
      cd \(place.word) || { say gone; exit 3; }
      if [ -e $w/list ]; then
        if find $w/stamp -prune -cnewer $w/stamp >/dev/null 2>&1; then
          sel() { find \(root) -name .git -prune -o \\( -type f -o -type l \\) \\
            \\( -newer $w/stamp -o -cnewer $w/ready \\) "$@"; }
        else
          sel() { find \(root) -name .git -prune -o \\( -type f -o -type l \\) \\
            -newer $w/stamp "$@"; }
        fi
        git=$(find .git -newer $w/stamp ! -type d ! -name index 2>/dev/null | sed -n 1p)
      else
        say forgotten
        rm -rf $w; (umask 077; mkdir $w) || exit 1
        : >$w/list
        git=
        sel() { find \(root) -name .git -prune -o \\( -type f -o -type l \\) "$@"; }
      fi
      \(Self.listing(volume)) >$w/now
      sort $w/list $w/now $w/now | uniq -u >$w/\(lists[1])
      sort $w/list $w/list $w/now | uniq -u >$w/new
      : >$w/\(lists[0]); : >$w/files
      while IFS= read -r n; do
        if [ -h "$n" ] || [ -f "$n" ]; then echo "$n" >>$w/files
        elif [ -d "$n" ]; then echo "$n" >>$w/\(lists[0]); fi
      done <$w/new
      echo "$git" >$w/\(lists[2])
      s=0
      (cd $w && tar -cf - \(lists.map { "./\($0)" }.joined(separator: " "))) || s=$?
      sel -exec tar -cf - {} + || s=$?
      sel -print >$w/sel
      sort $w/sel $w/sel $w/files | uniq -u >$w/more
      if [ -s $w/more ]; then sed 's/./\\\\&/g' $w/more | xargs tar -cf - || s=$?; fi
      rm -rf $w
      exit $s
      """
  }
}
